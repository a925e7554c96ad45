"""Each loss against an implementation that is not ours, or the paper's formula."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from torch.nn import functional

from mmseg_custom.models.losses import (
    ClassDiceLoss,
    ComboLoss,
    LabelSmoothingLoss,
    SoftF1Loss,
    SoftmaxFocalLoss,
    WeightedCrossEntropyLoss,
)


def batch(seed=0, photos=2, classes=4):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(photos, classes, 5, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, classes, (photos, 5, 6), generator=generator)
    labels[:, 0] = 255
    return logits, labels


@pytest.mark.parametrize('weights', [None, [1.0, 0.2, 3.0, 0.5]])
def test_cross_entropy_is_pytorchs(weights):
    logits, labels = batch()
    ours = WeightedCrossEntropyLoss(class_weight=weights)(logits, labels)
    tensor = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    expected = functional.cross_entropy(logits, labels, weight=tensor, ignore_index=255)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-6)


def test_label_smoothing_is_pytorchs():
    logits, labels = batch()
    ours = LabelSmoothingLoss(smoothing=0.3)(logits, labels)
    expected = functional.cross_entropy(logits, labels, label_smoothing=0.3, ignore_index=255)
    assert ours.item() == pytest.approx(expected.item())


@pytest.mark.parametrize('gamma', [0.0, 0.5, 2.0, 5.0])
def test_focal_is_the_papers_formula_pixel_by_pixel(gamma):
    logits, labels = batch()
    total, count = 0, 0
    for photo, truth in zip(logits.numpy(), labels.numpy(), strict=True):
        for row, column in zip(*np.nonzero(truth != 255), strict=True):
            exponentials = [math.exp(v) for v in photo[:, row, column]]
            p = exponentials[truth[row, column]] / sum(exponentials)
            total += -((1 - p) ** gamma) * math.log(p)
            count += 1
    ours = SoftmaxFocalLoss(gamma=gamma)(logits, labels).item()
    assert ours == pytest.approx(total / count)


@pytest.mark.parametrize('gamma', [1.0, 2.0])
def test_focal_of_two_classes_is_segmentation_models_binary_focal(gamma):
    smp = pytest.importorskip('segmentation_models_pytorch')
    logits, labels = batch(classes=2)
    # The softmax of two logits is the sigmoid of their difference.
    difference = (logits[:, 1:] - logits[:, :1]).float()
    reference = smp.losses.FocalLoss('binary', gamma=gamma, ignore_index=255)
    expected = reference(difference, labels[:, None])
    ours = SoftmaxFocalLoss(gamma=gamma)(logits, labels)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize('smooth', [0.0, 1.0])
def test_dice_of_a_photo_is_segmentation_models(smooth):
    smp = pytest.importorskip('segmentation_models_pytorch')
    logits, labels = batch(photos=3)
    labels[0][labels[0] == 2] = 1  # class 2 is not in the first photo
    reference = smp.losses.DiceLoss('multiclass', smooth=smooth, ignore_index=255)
    expected = [reference(logits[i : i + 1].float(), labels[i : i + 1]).item() for i in range(3)]
    ours = ClassDiceLoss(smooth=smooth)(logits, labels).item()
    assert ours == pytest.approx(np.mean(expected), rel=1e-5)


def test_soft_f1_of_sure_predictions_is_scikit_learns():
    logits, labels = batch(photos=1)
    decided = functional.one_hot(logits.argmax(1), 4).movedim(-1, 1).double() * 1000
    valid = labels != 255
    truth, prediction = labels[valid].numpy(), logits.argmax(1)[valid].numpy()
    expected = f1_score(truth, prediction, average='macro', labels=range(4), zero_division=0)
    assert SoftF1Loss()(decided, labels).item() == pytest.approx(1 - expected, abs=1e-5)


def test_a_combination_is_the_sum_of_its_parts():
    logits, labels = batch()
    parts = [dict(type='SoftmaxFocalLoss', loss_weight=0.5), dict(type='SoftF1Loss')]
    ours = ComboLoss(parts, loss_weight=3.0)(logits, labels).item()
    expected = 0.5 * SoftmaxFocalLoss()(logits, labels) + SoftF1Loss()(logits, labels)
    assert ours == pytest.approx(3 * expected.item())
    default = functional.cross_entropy(logits, labels, ignore_index=255)
    default = default + ClassDiceLoss()(logits, labels)
    assert ComboLoss()(logits, labels).item() == pytest.approx(default.item())


def test_mmsegs_dice_counts_ignored_pixels_which_is_why_ours_exists():
    from mmseg.models.losses import DiceLoss

    logits, labels = batch()
    other = logits.clone()
    other[:, :, 0] = -other[:, :, 0]  # the first row is ignored
    mmsegs = DiceLoss(use_sigmoid=False)
    assert mmsegs(logits, labels).item() != pytest.approx(mmsegs(other, labels).item())
    ours = ClassDiceLoss()
    assert ours(logits, labels).item() == pytest.approx(ours(other, labels).item())
