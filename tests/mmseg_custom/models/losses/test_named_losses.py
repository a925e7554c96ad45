"""Every loss of configs/_base_/losses, with and without class weights, against its reference.

References: PyTorch's cross entropy, mmseg's LovaszLoss and TverskyLoss (where they do not fail),
segmentation_models_pytorch's DiceLoss, and the formulas of the papers, photo by photo.
"""

import pytest
import torch
from mmseg.models.losses import LovaszLoss, TverskyLoss
from mmseg.registry import MODELS
from torch.nn import functional

from mmseg_custom.experiment.named_parts import part_names, read_part

WEIGHTS = [1.0, 0.2, 3.0, 0.5]
CASES = ('plain', 'pixels', 'photo', 'batch', 'one_pixel', 'one_left')


def case(name):
    """Return float64 logits of four classes and labels; 255 is ignored."""
    generator = torch.Generator().manual_seed(CASES.index(name))
    shape = (3, 1, 1) if name == 'one_pixel' else (3, 6, 7)
    logits = 2 * torch.randn(3, 4, *shape[1:], generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 4, shape, generator=generator)
    if name != 'plain':
        labels[torch.rand(shape, generator=generator) < 0.3] = 255
    if name == 'photo':
        labels[1] = 255
    if name in ('batch', 'one_left'):
        labels[:] = 255
    if name == 'one_left':
        labels[1, 2, 3] = 2
    return logits, labels


def cross_entropy(logits, labels, weights, smoothing=0.0):
    if not (labels != 255).any():
        return 0.0  # PyTorch's is NaN
    return functional.cross_entropy(
        logits, labels, weight=weights, ignore_index=255, label_smoothing=smoothing
    ).item()


def focal(logits, labels, weights):
    w = torch.ones(4).double() if weights is None else weights
    total, count = 0.0, 0.0
    for photo, truth in zip(logits, labels, strict=True):
        for row, column in (truth != 255).nonzero().tolist():
            label = truth[row, column]
            p = photo[:, row, column].softmax(0)[label]
            total += float(w[label] * -((1 - p) ** 2) * p.log())
            count += float(w[label])
    return total / count if count else 0.0


def of_photos(of_classes, logits, labels, weights, present=False):
    """Mean over photos of the mean over classes of a loss of ``(probabilities, truth)``, (P,)."""
    losses = []
    for photo, truth in zip(logits.softmax(1), labels, strict=True):
        kept = truth != 255
        values = []
        for c in range(4):
            true = (truth[kept] == c).double()
            if not present or true.any():
                w = 1.0 if weights is None else float(weights[c])
                values.append(w * float(of_classes(photo[c][kept], true)))
        losses.append(sum(values) / len(values) if values and kept.any() else 0.0)
    return sum(losses) / len(losses)


def dice(p, t):
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum()) if t.any() else 0.0


def soft_f1(p, t):
    if not t.any():
        return 1.0
    precision, recall = (p * t).sum() / p.sum(), (p * t).sum() / t.sum()
    return 1 - 2 * precision * recall / (precision + recall)


def tversky(p, t):
    hit, wrong, missed = (p * t).sum(), (p * (1 - t)).sum(), ((1 - p) * t).sum()
    return 1 - (hit + 1) / (hit + 0.3 * wrong + 0.7 * missed + 1)


def lovasz(p, t):
    """Sum the errors, descending, times the steps of the set function (Berman et al., eq. 8)."""
    errors = (t - p).abs()
    order = sorted(range(len(p)), key=lambda i: -errors[i])
    total, before, taken = 0.0, 0.0, set()
    for i in order:
        taken.add(i)
        foreground = {j for j in range(len(t)) if t[j]}
        # Jaccard loss when exactly the pixels taken so far are mispredicted.
        jaccard = len(taken) / len(foreground | taken) if foreground | taken else 0.0
        total += float(errors[i]) * (jaccard - before)
        before = jaccard
    return total


def combined(function, present=False):
    def reference(logits, labels, weights):
        overlap = of_photos(function, logits, labels, weights, present)
        return cross_entropy(logits, labels, weights) + overlap

    return reference


REFERENCES = {
    'ce': cross_entropy,
    'weighted_ce': cross_entropy,
    'class_balanced_ce': cross_entropy,
    'label_smoothing': lambda *args: cross_entropy(*args, smoothing=0.1),
    'focal': focal,
    'ce_dice': combined(dice),
    'soft_f1': combined(soft_f1),
    'tversky': combined(tversky),
    'lovasz': combined(lovasz, present=True),
}


def build(name, weighted):
    """Build the loss that a config names; the weights of all its parts are those given."""
    loss = read_part('losses', name, 'loss_decode').to_dict()
    weights = WEIGHTS if weighted else None
    if loss['type'] == 'ComboLoss':
        default = MODELS.build(loss)
        parts = loss.get('losses') or [dict(type=type(part).__name__) for part in default.losses]
        loss['losses'] = [dict(part, class_weight=weights) for part in parts]
    else:
        loss['class_weight'] = weights
    return MODELS.build(loss)


def test_every_named_loss_has_a_reference():
    assert sorted(REFERENCES) == part_names('losses')


@pytest.mark.parametrize('kind', CASES)
@pytest.mark.parametrize('weighted', [False, True])
@pytest.mark.parametrize('name', REFERENCES)
def test_it_is_finite_has_a_gradient_and_equals_its_reference(name, weighted, kind):
    logits, labels = case(kind)
    weights = torch.tensor(WEIGHTS).double() if weighted else None
    expected = REFERENCES[name](logits, labels, weights)
    logits.requires_grad_()
    value = build(name, weighted)(logits, labels)
    assert value.item() == pytest.approx(expected, rel=1e-6, abs=1e-9)
    value.backward()
    assert torch.isfinite(logits.grad).all()
    ignored = (labels == 255)[:, None].expand_as(logits)
    assert not logits.grad[ignored].any()
    assert logits.grad.any() == (kind != 'batch')


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('kind', CASES)
@pytest.mark.parametrize('weighted', [False, True])
@pytest.mark.parametrize('name', REFERENCES)
def test_half_precision_changes_the_logits_only(name, weighted, kind, dtype):
    logits, labels = case(kind)
    half = logits.to(dtype).requires_grad_()
    with torch.autocast('cpu', dtype=dtype):
        value = build(name, weighted)(half, labels)
    weights = torch.tensor(WEIGHTS).double() if weighted else None
    expected = REFERENCES[name](half.detach().double(), labels, weights)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)
    value.backward()
    assert torch.isfinite(half.grad).all()


@pytest.mark.parametrize('weighted', [False, True])
@pytest.mark.parametrize('seed', range(5))
def test_lovasz_and_tversky_are_mmsegs_where_those_work(seed, weighted):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(2, 4, 8, 9, generator=generator)
    labels = torch.randint(0, 3, (2, 8, 9), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.2] = 255
    weights = WEIGHTS if weighted else None
    ours = MODELS.build(dict(type='LovaszSoftmaxLoss', class_weight=weights))(logits, labels)
    theirs = LovaszLoss(per_image=True, reduction='mean', class_weight=weights)(logits, labels)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    ours = MODELS.build(dict(type='ClassTverskyLoss', class_weight=weights))(logits, labels)
    theirs = TverskyLoss(alpha=0.3, beta=0.7, class_weight=weights)(logits, labels)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_lovasz_of_a_large_photo_keeps_its_digits():
    """In float32 as in float64: each step is about 1e-6 of the full set."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 4, 512, 512, generator=generator)
    labels = torch.randint(0, 4, (1, 512, 512), generator=generator)
    loss = MODELS.build(dict(type='LovaszSoftmaxLoss'))
    assert loss(logits, labels).item() == pytest.approx(
        loss(logits.double(), labels).item(), rel=2e-6
    )


@pytest.mark.parametrize('weights', [None, [0.25, 1.0, 0.5, 2.0]])
def test_counting_ignored_pixels_is_mmsegs(weights):
    from mmseg.models.losses import CrossEntropyLoss

    logits, labels = case('pixels')
    options = dict(class_weight=weights, avg_non_ignore=False)
    ours = MODELS.build(dict(type='WeightedCrossEntropyLoss', **options))(logits, labels)
    theirs = CrossEntropyLoss(**options)(logits, labels, ignore_index=255)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
