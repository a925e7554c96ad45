import copy

import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_custom.models.segmentors import mean_teacher_segmentor
from mmseg_custom.utils import UserError

SIDE = 64
SIZES = [(SIDE, SIDE), (SIDE, 40), (50, SIDE)]


@pytest.fixture(scope='module')
def plain():
    return Config.fromfile(str(ROOT / 'configs' / 'upernet_swin_toy.py')).model


def build(plain, seed=0, **options):
    torch.manual_seed(seed)
    config = dict(type='MeanTeacherSegmentor', segmentor=copy.deepcopy(plain), **options)
    return MODELS.build(config).train()


def batch(unlabelled=3, labelled=2, seed=0):
    torch.manual_seed(seed)
    inputs = torch.randn(labelled + unlabelled, 3, SIDE, SIDE)
    samples = []
    for number in range(labelled + unlabelled):
        is_labelled = number < labelled
        size = (SIDE, SIDE) if is_labelled else SIZES[(number - labelled) % 3]
        labels = torch.randint(0, 11, (1, SIDE, SIDE)) if is_labelled else None
        sample = SegDataSample(metainfo=dict(img_shape=size, labelled=is_labelled))
        ignored = torch.full((1, SIDE, SIDE), 255)
        sample.gt_sem_seg = PixelData(data=labels if is_labelled else ignored)
        samples.append(sample)
    return inputs, samples


def total(losses):
    return sum(value for name, value in losses.items() if 'loss' in name)


def gradients(module):
    return {name: p.grad for name, p in module.named_parameters() if p.grad is not None}


def spied(model, monkeypatch):
    """Record what the student is given, call for call."""
    calls, original = [], model.student.loss

    def loss(inputs, samples):
        calls.append((inputs, torch.cat([s.gt_sem_seg.data for s in samples])))
        return original(inputs, samples)

    monkeypatch.setattr(model.student, 'loss', loss)
    return calls


def test_the_teacher_is_the_average_of_what_the_student_was(plain):
    model = build(plain, momentum=0.3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    for step in range(5):
        seen.append({k: v.clone() for k, v in model.student.state_dict().items()})
        optimizer.zero_grad()
        total(model.loss(*batch(seed=step))).backward()
        optimizer.step()
    teacher = model.teacher.module.state_dict()
    assert any('running_mean' in name for name in teacher)
    for name, value in teacher.items():
        if not value.is_floating_point():
            continue
        average = seen[0][name].double().numpy()
        for step, weights in enumerate(seen[1:], start=1):
            momentum = max(0.3, 1 / (step + 1))
            average = average + momentum * (weights[name].double().numpy() - average)
        np.testing.assert_allclose(value.numpy(), average, rtol=1e-4, atol=1e-6, err_msg=name)
    moved = teacher['decode_head.conv_seg.weight'], seen[-1]['decode_head.conv_seg.weight']
    assert not torch.allclose(*moved)


def test_the_teacher_first_takes_over_pretrained_weights_and_gets_no_gradient(plain):
    model = build(plain)
    with torch.no_grad():
        for weights in model.student.parameters():
            weights.add_(1e-3)
    expected = {k: v.clone() for k, v in model.student.state_dict().items()}
    total(model.loss(*batch())).backward()
    teacher = model.teacher.module
    assert all(expected[name].equal(value) for name, value in teacher.state_dict().items())
    assert not gradients(teacher)
    assert not any(p.requires_grad for p in teacher.parameters())
    trained = [p for p in model.student.parameters() if p.requires_grad]
    assert all(p.grad is not None for p in trained)


def test_the_teacher_follows_also_where_the_model_was_moved_to(plain):
    # To another type, as to another device, PyTorch moves weights into new tensors.
    model = build(plain).double()
    inputs, samples = batch()
    with torch.no_grad():
        model.student.decode_head.conv_seg.weight.add_(1)
    model.loss(inputs.double(), samples)
    student, teacher = model.student, model.teacher.module
    assert teacher.decode_head.conv_seg.weight.equal(student.decode_head.conv_seg.weight)


def test_above_one_the_gradient_is_the_supervised_one(plain):
    model = build(plain, threshold=1.01)
    alone = copy.deepcopy(model.student)
    inputs, samples = batch()
    losses = model.loss(inputs, samples)
    total(losses).backward()
    expected = alone.loss(inputs[:2], samples[:2])
    total(expected).backward()
    assert losses['unlabelled.sure_share'] == 0
    assert all(losses[name].equal(value) for name, value in expected.items())
    ours, theirs = gradients(model.student), gradients(alone)
    assert ours.keys() == theirs.keys()
    assert all(value.equal(theirs[name]) for name, value in ours.items())


def test_the_gate_and_the_mix_pixel_by_pixel(plain, monkeypatch):
    model = build(plain, threshold=0.6, unlabelled_weight=0.5)
    calls = spied(model, monkeypatch)
    masks = []

    def draw(classes):
        masks.append(torch.isin(classes, torch.tensor([0, 2, 4, 6, 8, 10])))
        return masks[-1]

    monkeypatch.setattr(mean_teacher_segmentor, 'draw_class_masks', draw)
    monkeypatch.setattr(mean_teacher_segmentor, 'change_colors', lambda inputs, _: -inputs)
    inputs, samples = batch()
    losses = model.loss(inputs, samples)
    (given, given_labels), (strong, labels) = calls
    assert given.equal(inputs[:2])
    assert given_labels.equal(torch.cat([s.gt_sem_seg.data for s in samples[:2]]))

    weak, sizes = inputs[2:], SIZES
    teacher = model.teacher.module.eval()
    with torch.no_grad():
        found = teacher.predict(weak)
    probabilities = torch.stack([sample.seg_logits.data.softmax(0) for sample in found])
    sure = photo = 0
    for n in range(3):
        for y in range(SIDE):
            for x in range(SIDE):
                source = n if masks[0][n, y, x] else n - 1
                height, width = sizes[source]
                confidence, label = probabilities[source, :, y, x].max(0)
                inside = y < height and x < width
                expected = int(label) if inside and confidence >= 0.6 else 255
                assert labels[n, y, x] == expected
                photo += inside
                sure += expected != 255
        chosen = masks[0][n]
        assert strong[n].equal(-torch.where(chosen, weak[n], weak[n - 1]))
        assert not chosen[sizes[n][0] :].any()
        assert not chosen[:, sizes[n][1] :].any()
    assert 0.05 < sure / photo < 0.95
    assert float(losses['unlabelled.sure_share']) == pytest.approx(sure / photo)


def test_the_loss_is_the_sum_over_sure_pixels_by_all_pixels(plain, monkeypatch):
    model = build(plain, threshold=0.6, unlabelled_weight=0.5)
    calls = spied(model, monkeypatch)
    losses = model.loss(*batch())
    strong, labels = calls[1]
    student = copy.deepcopy(model.student)
    # BatchNorm goes by the batch, so that the same photos give the same logits once more.
    logits = student.decode_head(student.extract_feat(strong))
    logits = torch.nn.functional.interpolate(logits, (SIDE, SIDE), mode='bilinear')
    entropy = torch.nn.functional.cross_entropy(
        logits.double(), labels, ignore_index=255, reduction='sum'
    )
    pixels = (labels != 255).sum() / losses['unlabelled.sure_share']
    expected = 0.5 * float(entropy.detach() / pixels)
    assert losses['unlabelled.decode.loss_ce'].item() == pytest.approx(expected, rel=1e-4)
    assert 'unlabelled.aux.loss_ce' in losses
    assert float(losses['unlabelled.decode.acc_seg']) > 1


def test_masks_of_unlabelled_photos_are_not_looked_at(plain):
    inputs, samples = batch()
    results = []
    for labels in (255, 3, None):
        for sample in samples[2:]:
            if labels is None:
                del sample.gt_sem_seg
            else:
                sample.gt_sem_seg.data.fill_(labels)
        torch.manual_seed(4)
        results.append(build(plain, threshold=0.2).loss(inputs, samples))
    first, *others = results
    assert float(first['unlabelled.sure_share']) > 0
    assert all(value.equal(other[name]) for other in others for name, value in first.items())


def test_predicts_as_its_teacher_alone(plain):
    model = build(plain, momentum=0.3)
    for step in range(3):
        total(model.loss(*batch(seed=step)))
        with torch.no_grad():
            model.student.decode_head.conv_seg.weight.normal_()
    teacher = MODELS.build(copy.deepcopy(plain)).eval()
    teacher.load_state_dict(model.teacher.module.state_dict())
    model.eval()
    photos = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        ours, theirs = model(photos, mode='predict'), teacher(photos, mode='predict')
        assert model(photos).equal(teacher(photos))
    for one, other in zip(ours, theirs, strict=True):
        assert one.seg_logits.data.equal(other.seg_logits.data)
    assert not model.teacher.training
    assert not model.train().teacher.module.training
    assert model.student.training


def test_a_training_goes_on_exactly_from_its_state(plain):
    def step(model, number):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        torch.manual_seed(number)
        total(model.loss(*batch(seed=number))).backward()
        optimizer.step()
        model.zero_grad()

    model = build(plain, threshold=0.2)
    for number in range(2):
        step(model, number)
    other = build(plain, seed=9, threshold=0.2)
    other.load_state_dict(model.state_dict())
    for number in range(2, 4):
        step(model, number)
        step(other, number)
    theirs = other.state_dict()
    assert all(value.equal(theirs[name]) for name, value in model.state_dict().items())
    assert int(theirs['teacher.steps']) == 4


def test_half_precision_is_survived(plain):
    model = build(plain, threshold=0.2)
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(*batch())
    loss = total(losses)
    loss.backward()
    assert loss.dtype == torch.float32
    assert float(losses['unlabelled.sure_share']) > 0
    assert all(gradient.isfinite().all() for gradient in gradients(model).values())


@pytest.mark.parametrize('counts', [dict(labelled=0), dict(unlabelled=0)])
def test_a_batch_of_one_kind_is_refused(plain, counts):
    with pytest.raises(UserError, match='labeled and unlabeled photos.*MultiSourceSampler'):
        build(plain).loss(*batch(**counts))


@pytest.mark.parametrize('momentum', [0, 1, -0.1])
def test_momentum_is_a_fraction(plain, momentum):
    with pytest.raises(UserError, match='momentum'):
        build(plain, momentum=momentum)
