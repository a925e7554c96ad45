"""Flicker, dropped frames, and counting, on a belt made of the real sample photos."""

import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import REAL, ROOT
from sklearn.metrics import jaccard_score

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import read_coco
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.live import BeltCounter, LatestFrames, TemporalSmoothing
from mmseg_custom.live.latest_frames import open_camera
from mmseg_custom.utils import UserError

CLASSES = built_in()
SIDE = 256


@pytest.fixture(scope='module')
def segmenter():
    return TrashSegmenter(ROOT / 'weights' / 'trash11', device='cpu')


@pytest.fixture(scope='module')
def photos():
    """Photo and labels of each held-back photo."""
    ann = REAL / 'val.json'
    samples = labelled_samples(str(ann), CLASSES, None, read_coco(ann))
    return [
        (
            read_photo(sample['img_path'], sample['height'], sample['width'])[..., ::-1],
            sample_mask(sample, Path(), CLASSES),
        )
        for sample in samples
    ]


def noisy(photo, rng):
    noise = rng.normal(0, 6, photo.shape)
    return np.clip(photo + noise, 0, 255).astype(np.uint8)


def flicker(masks):
    return np.mean([np.mean(a != b) for a, b in pairwise(masks)])


@pytest.mark.slow
def test_a_still_scene_flickers_five_times_less(segmenter, photos):
    rng = np.random.default_rng(0)
    smoothing = TemporalSmoothing()
    raw, smoothed = [], []
    for _ in range(20):
        frame = noisy(photos[0][0], rng)
        found = segmenter(frame)
        raw.append(found.mask)
        smoothed.append(smoothing(frame, found.probabilities).argmax(0))
    assert flicker(raw) > 0.002
    assert flicker(smoothed[5:]) <= flicker(raw[5:]) / 5


@pytest.mark.slow
def test_a_moving_scene_loses_at_most_a_point(segmenter, photos):
    belt = np.concatenate([photo[:SIDE, :SIDE] for photo, _ in photos[:3]], axis=1)
    truth = np.concatenate([labels[:SIDE, :SIDE] for _, labels in photos[:3]], axis=1)
    rng = np.random.default_rng(0)
    smoothing = TemporalSmoothing()
    pixels = {name: [] for name in ('truth', 'raw', 'smoothed')}
    for start in range(0, 2 * SIDE, 32):
        frame = noisy(belt[:, start : start + SIDE], rng)
        found = segmenter(frame)
        pixels['truth'].append(truth[:, start : start + SIDE])
        pixels['raw'].append(found.mask)
        pixels['smoothed'].append(smoothing(frame, found.probabilities).argmax(0))
    labels = {name: np.stack(values).ravel() for name, values in pixels.items()}
    occurring = np.unique(labels['truth'])
    raw, smoothed = (
        jaccard_score(labels['truth'], labels[name], labels=occurring, average='macro')
        for name in ('raw', 'smoothed')
    )
    assert smoothed >= raw - 0.01


def test_smoothing_is_an_average_where_nothing_moves_and_none_where_it_does():
    smoothing = TemporalSmoothing(weight=0.25)
    frame = np.full((40, 60, 3), 90, np.uint8)
    first, second = np.zeros((2, 40, 60), np.float32), np.ones((2, 40, 60), np.float32)
    assert np.array_equal(smoothing(frame, first), first)
    assert np.allclose(smoothing(frame, second), 0.25)
    moved = frame.copy()
    moved[:, 30:] = 200
    found = smoothing(moved, second)
    assert np.allclose(found[:, :, 40:], 1)
    assert np.allclose(found[:, :, :20], 0.25 + 0.75 * 0.25)
    with pytest.raises(ValueError, match='weight 0'):
        TemporalSmoothing(weight=0)


def test_a_slow_reader_gets_the_newest_frame():
    frames = iter([np.full((1, 1, 3), number, np.uint8) for number in range(100)])
    camera = LatestFrames(lambda: next(frames, None))
    with camera._changed:
        assert camera._changed.wait_for(lambda: camera._has_ended, timeout=200)
    ((number, frame),) = list(camera)
    assert number == frame[0, 0, 0] == 99
    assert camera.dropped == 99


def test_frames_come_in_order_and_each_is_given_or_dropped():
    frames = iter(range(500))
    camera = LatestFrames(lambda: next(frames, None))
    numbers = [number for number, frame in camera if number == frame]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 499
    assert len(numbers) + camera.dropped == 500


def test_what_a_camera_raises_is_raised():
    def read():
        raise UserError('unplugged')

    with pytest.raises(UserError, match='unplugged'):
        list(LatestFrames(read))
    with pytest.raises(UserError, match='no such camera'):
        open_camera('/dev/video987')


def belt_masks(photos):
    """Masks of a belt on which the largest object of each photo passes; and their classes."""
    objects, names = [], []
    content = json.loads((REAL / 'val.json').read_text())
    assert len(photos) == len(content['images'])
    for _, labels in photos:
        label = np.bincount(labels[labels > 0]).argmax()
        rows, columns = np.nonzero(labels == label)
        cut = (labels == label)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        cut = cut[:: max(1, len(cut) // 60), :: max(1, cut.shape[1] // 60)]
        _, regions, rows, _ = cv2.connectedComponentsWithStats(cut.astype(np.uint8))
        cut = regions == 1 + rows[1:, cv2.CC_STAT_AREA].argmax()
        objects.append(np.where(cut, np.uint8(label), np.uint8(0)))
        names.append(CLASSES.names[label])
    length = 130 * (len(objects) + 2)
    belt = np.zeros((140, length), np.uint8)
    for place, cut in enumerate(objects):
        belt[10 : 10 + len(cut), 260 + 130 * place : 260 + 130 * place + cut.shape[1]] = cut
    return [belt[:, start : start + 260] for start in range(0, length - 130, 12)], names


@pytest.mark.parametrize('direction', [1, -1])
@pytest.mark.parametrize('axis', [0, 1])
def test_each_object_is_counted_once(photos, direction, axis):
    masks, names = belt_masks(photos)
    counter = BeltCounter(CLASSES, axis=axis, least=0.002)
    ids = set()
    for number, mask in enumerate(masks[::direction]):
        # Every ninth frame the model sees nothing.
        seen = np.zeros_like(mask) if number % 9 == 8 else mask
        ids |= {one.id for one in counter.update(np.ascontiguousarray(seen.T if axis else seen))}
    assert dict(counter.counts) == {name: names.count(name) for name in names}
    assert len(ids) < 3 * len(names)


def test_an_object_that_turns_back_is_counted_once():
    counter = BeltCounter(CLASSES)
    for left in (10, 20, 30, 40, 50, 60, 50, 40, 30, 20, 30, 50, 60):
        mask = np.zeros((60, 100), np.uint8)
        mask[20:40, left : left + 40] = 6
        (one,) = counter.update(mask)
        assert one.id == 1
    assert counter.counts == {CLASSES.names[6]: 1}
