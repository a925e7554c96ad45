"""Rounding errors that grow in a model are not those of the graph."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import ROOT

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.apis.float64 import in_float64
from mmseg_custom.apis.parity import compare, random_photos
from mmseg_custom.models.probabilities import sample_probabilities

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
# Probabilities of a rounding error that is just allowed.
ERROR = 8e-4
OWN = 2e-4


@pytest.fixture
def segmenter(random_checkpoint):
    return TrashSegmenter(TOY, random_checkpoint, device='cpu')


def rounded(logits):
    """Return probabilities with an error of float32, which float64 does not make."""
    probabilities = sample_probabilities(logits).numpy().copy()
    if logits.dtype == torch.float32:
        probabilities[0] += ERROR
    return probabilities


def off_by(exact, error):
    """An exported model whose first class is off, as it computes in float32, too."""

    def batch(photos):
        found = []
        for result in exact.batch(photos):
            probabilities = result.probabilities.copy()
            probabilities[0] -= error
            found.append(replace(result, probabilities=probabilities))
        return found

    return SimpleNamespace(batch=batch, has_probabilities=True)


@pytest.mark.parametrize(('error', 'holds'), [(ERROR, True), (1.3e-3, False)])
def test_two_roundings_are_not_added(segmenter, error, holds, monkeypatch):
    photos = random_photos([(32, 48), (48, 32)])
    exact = in_float64(segmenter)
    monkeypatch.setattr('mmseg_custom.apis.segmenter._probabilities', rounded)
    parity = compare(segmenter, off_by(exact, error), photos)
    # The model rounds, too, by another amount with other numbers of threads.
    assert parity.difference == pytest.approx(ERROR + error, abs=OWN)
    assert parity.exact == pytest.approx(error, rel=1e-2)
    assert parity.rounding == pytest.approx(ERROR, abs=OWN)
    assert parity.holds is holds
    assert f'float64 by {error:.1e}' in str(parity)


def test_equal_models_are_not_computed_twice(segmenter, monkeypatch):
    monkeypatch.setattr('mmseg_custom.apis.parity.in_float64', None)
    parity = compare(segmenter, off_by(segmenter, ERROR), random_photos([(32, 32), (32, 32)]))
    assert parity.holds
    assert parity.exact is None


@pytest.mark.parametrize('tta', [None, 'flip'])
def test_float64_is_the_same_model(tta, random_checkpoint):
    segmenter = TrashSegmenter(TOY, random_checkpoint, device='cpu', tta=tta)
    exact = in_float64(segmenter)
    types = set()
    inner = getattr(exact.model, 'module', exact.model)
    inner.decode_head.conv_seg.register_forward_hook(
        lambda layer, inputs, logits: types.add(logits.dtype)
    )
    photo = random_photos([(32, 48), (32, 48)])[0][0]
    expected, found = segmenter(photo).probabilities, exact(photo).probabilities
    assert types == {torch.float64}
    assert {weights.dtype for weights in segmenter.model.parameters()} == {torch.float32}
    assert found.dtype == np.float32
    assert 0 < np.abs(found - expected).max() < 1e-3
