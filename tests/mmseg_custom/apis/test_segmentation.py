"""Results whose probabilities are computed when they are asked for."""

import copy
import pickle
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from conftest import ROOT
from PIL import Image

from mmseg_custom.apis import Segmentation, TrashSegmenter, segmenter
from mmseg_custom.classes import built_in
from mmseg_custom.models.probabilities import are_finite
from mmseg_custom.prediction.outputs import Outputs
from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.prediction.predict import predict_photos
from mmseg_custom.utils.non_finite import NonFiniteOutput

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def made(logits):
    mask = logits.argmax(axis=0).astype(np.uint8)
    return Segmentation.with_later_probabilities(mask, partial(softmax, logits), built_in())


@pytest.fixture(scope='module')
def photo_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('photos')
    for seed in range(2):
        pixels = np.random.default_rng(seed).integers(0, 256, (32, 48, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f'{seed}.png')
    return folder


@pytest.mark.parametrize(
    'use',
    [
        lambda result: result,
        copy.deepcopy,
        lambda result: replace(result, mask=result.mask),
        lambda result: pickle.loads(pickle.dumps(result)),  # noqa: S301
    ],
    ids=['itself', 'copied', 'replaced', 'pickled'],
)
def test_later_probabilities_are_those_of_the_logits(use):
    logits = np.random.default_rng(0).normal(size=(11, 5, 7)).astype(np.float32)
    result = use(made(logits))
    np.testing.assert_array_equal(result.probabilities, softmax(logits))
    assert result.probabilities is result.probabilities
    np.testing.assert_array_equal(result.confidence, softmax(logits).max(axis=0))
    with pytest.raises(AttributeError, match="no attribute 'probability'"):
        result.probability  # noqa: B018


def test_a_thread_that_asks_second_gets_the_same_probabilities():
    mask = np.zeros((2, 3), np.uint8)
    result = Segmentation.with_later_probabilities(mask, lambda: np.ones((1, 2, 3)), built_in())
    # It has looked before the first one was done.
    assert result.probabilities is result.__getattr__('probabilities')


@pytest.mark.parametrize('tta', [None, 'flip'])
def test_masks_alone_cost_no_probabilities(
    tta, random_checkpoint, photo_folder, tmp_path, monkeypatch
):
    model = TrashSegmenter(TOY, random_checkpoint, device='cpu', tta=tta)
    sources = list_photos([photo_folder])
    expected = [model(source.read()) for source in sources]
    for result in expected:
        assert np.array_equal(result.mask, result.probabilities.argmax(axis=0))

    def refuse(logits):
        raise AssertionError('computed')

    monkeypatch.setattr(segmenter, '_probabilities', refuse)
    predict_photos(model, sources, Outputs(tmp_path / 'masks'))
    for source, result in zip(sources, expected, strict=True):
        written = np.asarray(Image.open(tmp_path / 'masks' / 'masks' / f'{source.name}.png'))
        assert np.array_equal(written, result.mask)
    with pytest.raises(AssertionError, match='computed'):
        predict_photos(model, sources, Outputs(tmp_path / 'both', probabilities=True))


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_scores_without_probabilities_are_refused(value, random_checkpoint):
    model = TrashSegmenter(TOY, random_checkpoint, device='cpu')
    model.model.decode_head.conv_seg.bias.data[3] = value
    with pytest.raises(NonFiniteOutput):
        model(np.zeros((32, 32, 3), np.uint8))


@pytest.mark.parametrize(
    ('logits', 'expected'),
    [
        ([[0.0], [1.0]], True),
        # A class that is never possible: its probability is 0.
        ([[0.0], [-np.inf]], True),
        ([[-np.inf], [-np.inf]], False),
        ([[0.0], [np.inf]], False),
        ([[0.0], [np.nan]], False),
    ],
)
def test_logits_are_as_finite_as_their_probabilities(logits, expected):
    logits = torch.tensor(logits)[..., None]
    assert bool(logits.softmax(0).isfinite().all()) == expected
    assert are_finite(logits) == expected
