"""Ensembles, the soup and the divisions into folds, of heads that are one matrix each."""

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, jaccard_score
from torch import nn

from benchmarks.evidence_averages import measure_fold
from benchmarks.evidence_folds import fraction_error, score_error
from benchmarks.evidence_heads import Photo

CLASSES, SIDE = 3, 6


class Head(nn.Module):
    """Weighs the features of a pixel."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(CLASSES, 4))

    def forward(self, features):
        return torch.einsum('kc,nchw->nkhw', self.weight, features[0])


@pytest.fixture
def photos():
    rng = np.random.default_rng(0)
    made = []
    for _ in range(4):
        features = (torch.from_numpy(rng.normal(size=(1, 4, SIDE, SIDE)).astype(np.float32)),)
        truth = rng.integers(0, CLASSES, (SIDE, SIDE)).astype(np.uint8)
        made.append(Photo(np.zeros((SIDE, SIDE, 3), np.uint8), truth, (features, features)))
    return made


def weights(seed):
    return np.random.default_rng(seed).normal(size=(CLASSES, 4)).astype(np.float32)


def logits(photo, matrix):
    return np.einsum('kc,chw->khw', matrix, photo.views[0][0][0].numpy())


def softmax(values):
    powers = np.exp(values)
    return powers / powers.sum(axis=0)


def counted(photos, predict):
    truth = np.concatenate([photo.truth.ravel() for photo in photos])
    prediction = np.concatenate([predict(photo).argmax(axis=0).ravel() for photo in photos])
    return confusion_matrix(truth, prediction, labels=range(CLASSES))


def test_ensembles_average_probabilities_and_the_soup_averages_weights(photos):
    model = nn.Module()
    model.decode_head = Head()
    matrices = {(0, 1.0): 1, (0, 3.0): 2, (1, 3.0): 3, (2, 3.0): 4}
    matrices = {key: weights(seed) for key, seed in matrices.items()}
    parts = [weights(seed) for seed in (5, 6)]

    def state(matrix):
        return {'decode_head.weight': torch.from_numpy(matrix)}

    states = {key: state(matrix) for key, matrix in matrices.items()}
    found = measure_fold(model, photos, states, [*map(state, parts)], 3.0, CLASSES)
    seeds = [matrix for (_, factor), matrix in matrices.items() if factor == 3]

    def mean_of(several):
        return lambda photo: np.mean([softmax(logits(photo, one)) for one in several], axis=0)

    def one_by_one(several):
        return sum(counted(photos, lambda photo, one=one: logits(photo, one)) for one in several)

    mixed = (matrices[0, 1.0] + matrices[0, 3.0]) / 2
    expected = dict(
        plain=one_by_one(seeds),
        first_seed=one_by_one(seeds[:1]),
        ensemble=counted(photos, mean_of(seeds)),
        soup=counted(photos, lambda photo: logits(photo, mixed)),
        fold_member=one_by_one(parts),
        fold_ensemble=counted(photos, mean_of(parts)),
    )
    assert {arm: one.tolist() for arm, one in found.items()} == {
        arm: one.tolist() for arm, one in expected.items()
    }
    only = {key: state(matrices[key]) for key in ((0, 3.0), (1, 3.0))}
    found = measure_fold(model, photos, only, [], 3.0, CLASSES)
    assert [*found] == ['plain', 'first_seed', 'ensemble']


def test_the_error_of_a_fold_is_its_distance_from_all_photos():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, CLASSES, (2, 12, 50))
    labels = range(CLASSES)
    pairs = zip(truth, prediction, strict=True)
    confusions = np.stack([confusion_matrix(*pair, labels=labels) for pair in pairs])
    fold_of = rng.permutation(np.repeat(range(3), 4))

    def score(places):
        pair = truth[places].ravel(), prediction[places].ravel()
        return 100 * jaccard_score(*pair, average='macro')

    errors = [score(fold_of == fold) - score(fold_of >= 0) for fold in range(3)]
    expected = np.linalg.norm(errors) / np.sqrt(3)
    assert score_error(confusions, fold_of) == pytest.approx(expected)


def test_the_error_of_a_fraction_is_the_largest_one_of_any_fold_and_class():
    counts = np.array([[1, 1], [3, 1], [0, 4], [2, 0]])
    # A half of all annotations are of each class: of the folds', 4 of 6 and 2 of 6.
    assert fraction_error(counts, np.array([0, 0, 1, 1])) == pytest.approx(100 * (4 / 6 - 1 / 2))
