import json
import shutil
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from label_sets import FILES, NAMES, content, contents, label_sets, pixels, rle, seen
from PIL import Image

from mmseg_custom.formats import (
    LabeledObject,
    LabeledPhoto,
    PhotoSet,
    formats,
    guess_format,
    loss_of,
    read_set,
    simplify,
    write_set,
)

quick = settings(
    max_examples=12,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
EXACT = ('coco', 'yolo', 'labelme', 'cvat', 'label_studio', 'huggingface')


def passed_through(photos, kind, folder, data_root=None):
    """Write a set, find out which format it is, and read it."""
    out = folder / 'out'
    shutil.rmtree(out, ignore_errors=True)
    write_set(photos, kind, out, 'copy')
    assert guess_format(out) is kind
    return read_set(out, kind, data_root)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('formats')


@pytest.mark.parametrize('name', formats())
def test_what_is_read_is_what_the_format_holds(name, folder):
    kind = formats()[name]

    @quick
    @given(label_sets(folder / name))
    def check(photos):
        found = passed_through(photos, kind, folder, folder / name if name == 'masks' else None)
        held = list(map(kind.hold, photos.photos))
        assert contents(found.photos) == contents(held)
        assert found.names == photos.names
        for before, after in zip(photos.photos, held, strict=True):
            # Whatever the format is, what is seen stays.
            assert seen(after) == seen(before)
            assert name not in EXACT or content(after) == content(before)

    check()


@pytest.mark.parametrize(('first', 'second'), product(formats(), formats()))
def test_every_pair_of_formats(first, second, folder, rich):
    photos, root = rich
    for step, name in enumerate((first, second)):
        kind = formats()[name]
        held = contents(map(kind.hold, photos.photos))
        place = folder / f'step_{step}'
        photos = passed_through(photos, kind, place, root if name == 'masks' else None)
        assert contents(photos.photos) == held


@pytest.mark.parametrize('name', ['coco', 'label_studio', 'labelme'])
def test_a_format_is_found_without_parsing_what_is_read_afterwards(name, folder, rich, monkeypatch):
    kind = formats()[name]
    write_set(rich[0], kind, folder / f'guessed_{name}', 'none')
    for function in ('load', 'loads'):
        monkeypatch.delattr(json, function)
    assert guess_format(folder / f'guessed_{name}') is kind


@pytest.fixture(scope='module')
def rich(folder):
    """Two photos with overlaps, several parts and holes, confidences and ignored pixels."""
    noise = np.random.default_rng(0).random((4, 9, 14))
    square = np.array([1.5, 0.5, 7, 1, 6.2, 8, 0, 7])
    overlapping = (
        LabeledObject('Paper pack', rle(noise[0] > 0.4)),
        LabeledObject('A&B <c>', (square,)),
        LabeledObject('ignore', rle(noise[1] > 0.9)),
        LabeledObject('Paper pack', (square + 2, np.array([9.0, 1, 13, 1, 13, 8]))),
        LabeledObject('유리 병', rle(noise[2] > 0.8)),
    )
    sure = [replace(one, confidence=0.1 + n / 7) for n, one in enumerate(overlapping[::-1])]
    root = folder / 'rich'
    photos = []
    for name, objects in zip(FILES, (overlapping, sure), strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (14, 9)).save(root / name)
        photos.append(LabeledPhoto(name, 9, 14, tuple(objects), root / name))
    return PhotoSet(tuple(photos), NAMES), root


@pytest.mark.parametrize('name', formats())
def test_the_loss_is_what_a_naive_count_says(name, folder):
    kind = formats()[name]

    @quick
    @given(label_sets(folder / f'loss_{name}'))
    def check(photos):
        objects = confidences = hidden = 0
        for before in photos.photos:
            after = kind.hold(before)
            size = before.height, before.width
            there = [
                Counter((one.name, pixels(one, *size).tobytes()) for one in photo.objects)
                for photo in (before, after)
            ]
            objects += sum((there[0] - there[1]).values())
            sure = [one for one in before.objects if one.confidence is not None]
            confidences += 0 if name in EXACT else len(sure)
            areas = [
                sum(int(pixels(one, *size).sum()) for one in photo.objects)
                for photo in (before, after)
            ]
            hidden += areas[0] - areas[1]
        loss = loss_of(photos, kind)
        assert (loss.objects, loss.confidences, loss.hidden) == (objects, confidences, hidden)
        assert loss.pixels == 0 and bool(loss) == bool(objects or confidences or hidden)

    check()


@pytest.mark.parametrize('tolerance', (0.5, 1.0, 3.0))
def test_simplified_outlines_stay_within_what_is_stated(tolerance, folder, rich):
    y, x = np.mgrid[:60, :80]
    blob = ((x - 40) / 30) ** 2 + ((y - 30) / 22 + np.sin(x / 5) / 6) ** 2 < 1
    blob &= (x - 35) ** 2 + (y - 30) ** 2 > 36
    photo = LabeledPhoto('a.png', 60, 80, (LabeledObject('Paper', rle(blob)),))
    fewer, report = simplify(PhotoSet((photo,), ('Paper',)), tolerance)
    after = fewer.photos[0].mask(fewer.photos[0].objects[0])
    moved = max(farthest(blob, after), farthest(after, blob))
    # Pixels are squares: what changed is at most half a diagonal farther away.
    assert moved <= report.moved + 0.75 and report.moved <= tolerance
    assert 3 < report.after < report.before
    assert report.pixels == np.count_nonzero(blob != after)
    # The hole is still one.
    assert not after[30, 35] and after[30, 25]


def farthest(mask, other):
    """How far the farthest pixel of a mask is from another, by trying all."""
    lost = np.argwhere((mask > 0) & (other == 0))
    kept = np.argwhere(other > 0)
    return max((np.hypot(*(kept - one).T).min() - 0.5 for one in lost), default=0)
