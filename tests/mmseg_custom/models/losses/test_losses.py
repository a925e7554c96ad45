"""What holds for every loss of ours."""

import pytest
import torch
from mmseg.registry import MODELS

from mmseg_custom.utils import UserError

PIXEL = {
    'WeightedCrossEntropyLoss': dict(class_weight=[1.0, 0.2, 3.0, 0.5]),
    'SoftmaxFocalLoss': {},
    'LabelSmoothingLoss': dict(class_weight=[1.0, 0.2, 3.0, 0.5]),
}
OVERLAP = {
    'ClassDiceLoss': {},
    'SoftF1Loss': {},
    'LovaszSoftmaxLoss': {},
    'ClassTverskyLoss': dict(class_weight=[1.0, 0.2, 3.0, 0.5]),
}
ALL = PIXEL | OVERLAP | {'ComboLoss': {}}


def build(name, **more):
    return MODELS.build(dict(type=name, **ALL[name]) | more)


def batch(seed=0, photos=2, dtype=torch.float64, ignored=0.2):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(photos, 4, 5, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 4, (photos, 5, 6), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < ignored] = 255
    return logits.to(dtype), labels


@pytest.mark.parametrize('name', ALL)
def test_gradients_are_right(name):
    logits, labels = batch()
    logits.requires_grad_()
    loss = build(name)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels), (logits,), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize('name', ALL)
def test_ignored_pixels_count_for_nothing(name):
    logits, labels = batch()
    loss = build(name)
    other = logits.clone()
    other[(labels == 255)[:, None].expand_as(other)] = 77.0
    assert loss(other, labels) == pytest.approx(loss(logits, labels).item())
    logits.requires_grad_()
    loss(logits, labels).backward()
    assert not logits.grad[(labels == 255)[:, None].expand_as(logits)].any()


@pytest.mark.parametrize('name', ALL)
def test_nothing_but_ignored_pixels_has_no_gradient(name):
    logits, labels = batch(ignored=2.0)
    logits.requires_grad_()
    value = build(name)(logits, labels)
    assert torch.isfinite(value)
    value.backward()
    assert not logits.grad.any()


@pytest.mark.parametrize('size', [60.0, 1e4])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize('name', ALL)
def test_saturated_logits_have_finite_values_and_gradients(name, dtype, size):
    logits, labels = batch(dtype=dtype)
    logits = (logits.sign() * size).requires_grad_()
    value = build(name)(logits, labels)
    assert torch.isfinite(value)
    value.backward()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('name', ALL)
def test_autocast_changes_nothing(name, dtype):
    logits, labels = batch(dtype=torch.float32)
    half = logits.to(dtype)
    with torch.autocast('cpu', dtype=dtype):
        inside = build(name)(half, labels)
    assert inside.dtype == torch.float32
    assert inside == pytest.approx(build(name)(half.float(), labels).item(), rel=1e-6)


@pytest.mark.parametrize('name', PIXEL)
def test_a_batch_is_the_weighted_mean_of_its_parts(name):
    logits, labels = batch(photos=5)
    loss = build(name)
    weights = torch.tensor(PIXEL[name].get('class_weight', [1.0] * 4), dtype=torch.float64)
    total, weight = 0, 0
    for part in (slice(0, 1), slice(1, 3), slice(3, 5)):
        valid = labels[part][labels[part] != 255]
        total += loss(logits[part], labels[part]) * weights[valid].sum()
        weight += weights[valid].sum()
    assert loss(logits, labels) == pytest.approx((total / weight).item(), rel=1e-6)


@pytest.mark.parametrize('name', OVERLAP)
def test_an_overlap_is_the_mean_of_its_photos(name):
    logits, labels = batch(photos=5)
    loss = build(name)
    alone = [loss(logits[i : i + 1], labels[i : i + 1]).item() for i in range(5)]
    assert loss(logits, labels).item() == pytest.approx(sum(alone) / 5)


@pytest.mark.parametrize('name', ALL)
def test_weight_and_name_are_the_configs(name):
    logits, labels = batch()
    twice = build(name, loss_weight=2.0)(logits, labels)
    assert twice.item() == pytest.approx(2 * build(name)(logits, labels).item())
    assert build(name, loss_name='loss_x').loss_name == 'loss_x'
    assert build(name).loss_name.startswith('loss_')


@pytest.mark.parametrize('name', PIXEL)
def test_pixels_may_be_weighed_and_ignored_ones_counted(name):
    logits, labels = batch()
    loss = build(name)
    half = torch.full(labels.shape, 0.5, dtype=torch.float64)
    assert loss(logits, labels, weight=half) == pytest.approx(loss(logits, labels).item() / 2)
    if 'class_weight' not in PIXEL[name]:
        valid = (labels != 255).double().mean().item()
        counted = build(name, avg_non_ignore=False)(logits, labels).item()
        assert counted == pytest.approx(loss(logits, labels).item() * valid)


@pytest.mark.parametrize('name', OVERLAP)
def test_overlaps_refuse_weights_of_pixels(name):
    logits, labels = batch()
    with pytest.raises(UserError, match='without a pixel sampler'):
        build(name)(logits, labels, weight=torch.ones(labels.shape))


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (dict(type='SoftmaxFocalLoss', gamma=-1), 'gamma -1 is not at least 0'),
        (dict(type='LabelSmoothingLoss', smoothing=1.0), r'smoothing 1.0 is not in \[0, 1\)'),
        (dict(type='WeightedCrossEntropyLoss', class_weight='data'), "class_weight 'data'"),
        (dict(type='WeightedCrossEntropyLoss', class_weight=[1, -1]), 'a number >= 0 per class'),
        (dict(type='WeightedCrossEntropyLoss', weight_method='odd'), "'odd': take one of"),
        (dict(type='WeightedCrossEntropyLoss', max_weight=0), 'take a max_weight above 0'),
        (dict(type='ComboLoss', losses=[]), 'losses is empty'),
        (dict(type='ClassTverskyLoss', beta=-1), 'beta -1'),
        (dict(type='LovaszSoftmaxLoss', class_weight=[1, -1]), 'a number >= 0 per class'),
    ],
)
def test_wrong_options_are_told(config, message):
    with pytest.raises(UserError, match=message):
        MODELS.build(config)


def test_weights_must_fit_and_be_known():
    logits, labels = batch()
    loss = MODELS.build(dict(type='WeightedCrossEntropyLoss', class_weight=[1.0, 2.0]))
    with pytest.raises(UserError, match='2 numbers for 4 classes'):
        loss(logits, labels)
    with pytest.raises(UserError, match='ClassWeightHook'):
        MODELS.build(dict(type='WeightedCrossEntropyLoss'))(logits, labels)
