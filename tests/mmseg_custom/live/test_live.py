"""Flicker, dropped frames, and counting, on a belt made of the real sample photos."""

import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import REAL, ROOT
from sklearn.metrics import jaccard_score

from benchmarks.belt_camera import BeltCamera
from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import read_coco
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.live import BeltCounter, Camera, LatestFrames, TemporalSmoothing
from mmseg_custom.toy.belt import Belt, cut_out, noisy
from mmseg_custom.utils import UserError

CLASSES = built_in()
SIDE = 256


@pytest.fixture(scope='module')
def segmenter():
    return TrashSegmenter(ROOT / 'weights' / 'trash11', device='cpu')


@pytest.fixture(scope='module')
def samples():
    """The held-back photos."""
    ann = REAL / 'val.json'
    return labelled_samples(str(ann), CLASSES, None, read_coco(ann))


@pytest.fixture(scope='module')
def belt(samples):
    return Belt(cut_out(samples, CLASSES), width=160, height=120, step=16)


@pytest.fixture(scope='module')
def photos(samples):
    """Photo and labels of each held-back photo."""
    return [
        (
            read_photo(sample['img_path'], sample['height'], sample['width'])[..., ::-1],
            sample_mask(sample, Path(), CLASSES),
        )
        for sample in samples
    ]


# Standard deviation of a dark scene's noise, in gray levels.
DARK = 6


def flicker(masks):
    return np.mean([np.mean(a != b) for a, b in pairwise(masks)])


@pytest.mark.slow
def test_a_still_scene_flickers_five_times_less(segmenter, photos):
    smoothing = TemporalSmoothing()
    raw, smoothed = [], []
    for number in range(20):
        frame = noisy(photos[0][0], number, DARK)
        found = segmenter(frame)
        raw.append(found.mask)
        smoothed.append(smoothing(frame, found.probabilities).argmax(0))
    assert flicker(raw) > 0.002
    assert flicker(smoothed[5:]) <= flicker(raw[5:]) / 5


@pytest.mark.slow
def test_a_moving_scene_loses_at_most_a_point(segmenter, photos):
    belt = np.concatenate([photo[:SIDE, :SIDE] for photo, _ in photos[:3]], axis=1)
    truth = np.concatenate([labels[:SIDE, :SIDE] for _, labels in photos[:3]], axis=1)
    smoothing = TemporalSmoothing()
    pixels = {name: [] for name in ('truth', 'raw', 'smoothed')}
    for start in range(0, 2 * SIDE, 32):
        frame = noisy(belt[:, start : start + SIDE], start, DARK)
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
    ((number, frame, *_),) = list(camera)
    assert number == frame[0, 0, 0] == 99
    assert camera.dropped == 99


def test_frames_come_in_order_and_each_is_given_or_dropped():
    frames = iter(range(500))
    camera = LatestFrames(lambda: next(frames, None))
    numbers = [number for number, frame, *_ in camera if number == frame]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 499
    assert len(numbers) + camera.dropped == 500


def test_what_a_camera_raises_is_raised():
    def read():
        raise UserError('unplugged')

    with pytest.raises(UserError, match='unplugged'):
        list(LatestFrames(read))
    with pytest.raises(UserError, match='no such camera'):
        Camera('/dev/video987')


def test_who_waits_for_a_camera_can_say_that_it_is_alive():
    calls, goes_on = [], threading.Event()

    def read():
        return None if goes_on.wait(200) else None

    def on_wait():
        calls.append(1)
        if len(calls) == 2:
            goes_on.set()

    assert list(LatestFrames(read, on_wait)) == []
    assert len(calls) >= 2


def test_a_camera_that_went_away_is_opened_again(belt):
    network = BeltCamera(belt, rate=50)
    waits, lines = [], []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 6:
            network.appear()

    camera = Camera(network.url, lines.append, wait)
    tried = camera.tried_at
    before = camera.read()
    network.vanish()
    # What was sent before is read first.
    frames = [camera.read() for _ in range(50) if not waits]
    network.vanish()
    assert waits == [1, 2, 4, 8, 16, 30]
    assert camera.lost == 1
    assert [line.removeprefix(network.url)[:12] for line in lines] == [
        ': has no fra',
        ': is back af',
    ]
    assert frames[-1].shape == before.shape == (120, 160, 3)
    assert camera.tried_at > tried


@pytest.mark.parametrize('direction', [1, -1])
@pytest.mark.parametrize('axis', [0, 1])
def test_each_object_is_counted_once(belt, direction, axis):
    counter = BeltCounter(CLASSES, axis=axis, least=0.002)
    ids = set()
    for number in range(belt.frames):
        mask = belt.frame(number * direction % belt.frames)[1]
        # Every ninth frame the model sees nothing, and others are dropped.
        seen = np.zeros_like(mask) if number % 9 == 8 else mask
        if number % 7 != 5:
            turned = np.ascontiguousarray(seen.T if axis else seen)
            ids |= {one.id for one in counter.update(turned, number / 5)}
    assert counter.counts == belt.counts(CLASSES)
    assert len(ids) < 1.5 * len(belt.labels)


def test_an_object_that_turns_back_is_counted_once():
    counter = BeltCounter(CLASSES)
    ids = set()
    for number, left in enumerate((10, 20, 30, 40, 50, 60, 50, 40, 30, 20, 30, 50, 60)):
        mask = np.zeros((60, 100), np.uint8)
        mask[20:40, left : left + 40] = 6
        ids |= {one.id for one in counter.update(mask, number / 5)}
    assert len(ids) == 1
    assert counter.counts == {CLASSES.names[6]: 1}


def test_what_was_seen_long_ago_is_forgotten():
    counter = BeltCounter(CLASSES)
    mask = np.zeros((60, 100), np.uint8)
    mask[20:40, 20:60] = 6
    for number in range(100):
        # A new object each time: it is away for longer than an object may be hidden.
        for moment in (0, 0.2):
            counter.update(mask, 10 * number + moment)
    assert len(counter._objects) == 1


def test_a_belt_shows_the_objects_that_its_labels_say(belt, samples):
    objects = cut_out(samples, CLASSES)
    assert belt.labels == tuple(one.label for one in objects)
    again = Belt(objects, width=160, height=120, step=16)
    for number in (0, 7, belt.frames + 7):
        frame, labels = belt.frame(number)
        assert np.array_equal(frame, again.frame(number)[0])
        assert frame.shape == (*labels.shape, 3) == (120, 160, 3)
        if number:
            assert np.array_equal(labels, belt.frame(7)[1])
            # The belt is darker than what lies on it, on average.
            assert frame[labels > 0].mean() > frame[labels == 0].mean() + 10
    still = [belt.frame(number, is_moving=False)[0].astype(int) for number in range(2)]
    assert 0 < np.abs(still[0] - still[1]).mean() < 10


def test_an_object_keeps_its_id_over_dropped_frames():
    counter = BeltCounter(CLASSES, least=0.001)
    ids = set()
    # Seven frames in a row, then every fourth: it moves by more than its length.
    for number in (*range(7), 10, 14, 18, 22):
        mask = np.zeros((60, 400), np.uint8)
        mask[20:40, 12 * number + 10 : 12 * number + 26] = 6
        ids |= {one.id for one in counter.update(mask, number / 5)}
    assert len(ids) == 1
    assert counter.counts.total() == 1
