"""Train heads on labeled and pseudo-labeled photos, whose features are computed once."""

import copy
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from mmseg_custom.coco.photos import read_photo
from mmseg_custom.postprocess import DenseCrf

from .frozen_head import BATCH, SIDE, FrozenSet, enlarged, new_head, probabilities, training_steps

PSEUDO_WEIGHT, FIRST_LEVEL = 0.5, 1
SURE, MOMENTUM, DROPPED = 0.95, 0.01, 0.5
# The default CRF is for photos of 512 pixels.
CRF = DenseCrf(bilateral_sxy=80 * SIDE / 512, gaussian_sxy=1.0, keep_small=0.5)


def train_mixed(
    data: FrozenSet,
    labels: np.ndarray,
    labeled: Sequence[int],
    unlabeled: Sequence[int],
    seed: int,
    iterations: int,
) -> nn.Module:
    """Train a head from scratch; half of each batch is pseudo-labeled, if there is such a photo.

    Args:
        data: The features.
        labels: ``(N, SIDE, SIDE)`` uint8 of all photos.
        labeled: Photos whose labels are real.
        unlabeled: Photos whose labels are pseudo labels; the mean over their pixels counts half.
        seed: Of the weights and of the order.
        iterations: Steps.
    """
    head = new_head(data, seed, FIRST_LEVEL)
    rng = np.random.default_rng(seed)
    for step in training_steps(head, iterations):
        view = int(rng.integers(2))
        loss = _loss(head, data, labels, rng.choice(labeled, BATCH), view)
        if len(unlabeled):
            chosen = rng.choice(unlabeled, BATCH)
            if (_labels(labels, chosen, view) != data.classes.ignore_index).any():
                loss = loss + PSEUDO_WEIGHT * _loss(head, data, labels, chosen, view)
        step(loss)
    return head.eval()


def train_online(
    data: FrozenSet,
    labeled: Sequence[int],
    unlabeled: Sequence[int],
    seed: int,
    iterations: int,
    start: nn.Module,
) -> nn.Module:
    """Train on from a supervised head with a mean teacher; return the teacher.

    The teacher labels a photo where it is sure (FixMatch), and the student learns that from
    features of which half of the channels are dropped (UniMatch, Yang et al., CVPR 2023).

    Args:
        data: The features.
        labeled: Photos whose labels are used.
        unlabeled: Photos whose labels are not.
        seed: Decides the order of the photos.
        iterations: Steps.
        start: The head to start from, which is not changed.
    """
    head, teacher = copy.deepcopy(start).train(), copy.deepcopy(start)
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    for step in training_steps(head, iterations, factor=0.5):
        view = int(rng.integers(2))
        loss = _loss(head, data, data.labels, rng.choice(labeled, BATCH), view)
        features = _features(data, rng.choice(unlabeled, BATCH), view)
        with torch.no_grad():
            sure, found = enlarged(teacher(features)).softmax(dim=1).max(dim=1)
        dropped = [nn.functional.dropout2d(level, DROPPED) for level in features]
        each = nn.functional.cross_entropy(enlarged(head(dropped)), found, reduction='none')
        step(loss + (each * (sure >= SURE)).mean())
        for mine, other in zip(
            teacher.state_dict().values(), head.state_dict().values(), strict=True
        ):
            mine.copy_(mine + MOMENTUM * (other - mine) if mine.is_floating_point() else other)
    return teacher.eval()


def answers(
    data: FrozenSet, teachers: Sequence[nn.Module], places: Iterable[int], crf: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and their probability, ``(P, SIDE, SIDE)`` uint8 and float32.

    Several teachers are averaged, over both mirror images. A CRF chooses labels only: their
    probability is that of the teachers.
    """
    views = (0, 1) if len(teachers) > 1 else (0,)
    labels, confidence = [], []
    for place in places:
        each = [probabilities(one, data, place, view) for one in teachers for view in views]
        mean = np.mean(each, axis=0)
        label = mean.argmax(axis=0)
        if crf:
            photo = read_photo(data.samples[place]['img_path'])
            photo = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            label = CRF(np.ascontiguousarray(photo[..., ::-1]), mean).argmax(axis=0)
        labels.append(label.astype(np.uint8))
        confidence.append(np.take_along_axis(mean, label[None].astype(np.int64), axis=0)[0])
    return np.stack(labels), np.stack(confidence)


def _loss(head, data: FrozenSet, labels: np.ndarray, places: np.ndarray, view: int) -> Tensor:
    return nn.functional.cross_entropy(
        enlarged(head(_features(data, places, view))),
        _labels(labels, places, view),
        ignore_index=data.classes.ignore_index,
    )


def _features(data: FrozenSet, places: np.ndarray, view: int) -> list[Tensor]:
    return [level[torch.from_numpy(places)] for level in data.views[view]]


def _labels(labels: np.ndarray, places: np.ndarray, view: int) -> Tensor:
    chosen = labels[places]
    return torch.from_numpy((chosen[..., ::-1] if view else chosen).astype(np.int64))
