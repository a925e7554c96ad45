import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems
from mmseg_custom.coco.layers import Layers
from mmseg_custom.coco.paste.patches import cut_patch, draw_placement

HEIGHT, WIDTH = 24, 31
LABELS = {7: 1, 8: 2, 9: 3}


def decode(segmentation):
    if isinstance(segmentation, list):
        rles = mask_utils.frPyObjects(segmentation, HEIGHT, WIDTH)
        return mask_utils.decode(mask_utils.merge(rles)).astype(bool)
    if isinstance(segmentation['counts'], list):
        segmentation = mask_utils.frPyObjects(segmentation, HEIGHT, WIDTH)
    return mask_utils.decode(segmentation).astype(bool)


def owners(entries):
    """Which entry is topmost, by pycocotools: larger stated area first, else the file's order."""
    owner = np.full((HEIGHT, WIDTH), -1)
    measured = [e.get('area', decode(e['segmentation']).sum()) for e in entries]
    for place in sorted(range(len(entries)), key=lambda place: -measured[place]):
        owner[decode(entries[place]['segmentation'])] = place
    return owner


def paint_by_area(entries):
    labels = np.array([LABELS[e['category_id']] for e in entries] + [0])
    return labels[owners(entries)]


def random_mask(rng):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    top, left = rng.integers(0, HEIGHT - 3), rng.integers(0, WIDTH - 3)
    mask[top : top + rng.integers(1, 15), left : left + rng.integers(1, 15)] = 1
    return mask & (rng.random(mask.shape) < rng.choice([0.6, 1.0]))


def random_entry(rng):
    entry = dict(id=int(rng.integers(1000)), category_id=int(rng.integers(7, 10)))
    kind = rng.integers(3)
    if kind == 0:
        corners = rng.uniform(0, (WIDTH, HEIGHT), (rng.integers(3, 7), 2))
        entry['segmentation'] = [corners.ravel().tolist()]
    else:
        rle = mask_utils.encode(np.asfortranarray(random_mask(rng)))
        rle['counts'] = rle['counts'].decode()
        entry['segmentation'] = rle
    # Stated areas are often wrong in files from the wild, and decide the painting order.
    if rng.random() < 0.8:
        entry['area'] = float(rng.integers(0, 400))
    return entry


@settings(max_examples=150)
@given(st.integers(0, 10**6))
def test_pasting_changes_nothing_but_what_is_covered(seed):
    rng = np.random.default_rng(seed)
    entries = [random_entry(rng) for _ in range(rng.integers(0, 8))]
    layers = Layers(entries, LABELS, HEIGHT, WIDTH)
    expected = paint_by_area(entries)
    for _ in range(rng.integers(1, 4)):
        mask, category = random_mask(rng), int(rng.integers(7, 10))
        if not mask.any():
            continue
        layers.add(LABELS[category], dict(id=1, category_id=category), mask)
        expected[mask == 1] = LABELS[category]
    after = layers.entries()
    assert np.array_equal(paint_by_area(after), expected)
    assert set(np.unique(owners(after))) - {-1} == set(range(len(after)))


def test_what_is_not_touched_stays_as_it_was():
    entry = dict(id=3, category_id=7, segmentation=[[1, 1, 8, 1, 8, 8, 1, 8]], area=49, extra='x')
    layers = Layers([entry], LABELS, HEIGHT, WIDTH)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[15:, 20:] = 1
    layers.add(2, dict(category_id=8, iscrowd=0), mask)
    after = sorted(layers.entries(), key=lambda e: e['category_id'])
    assert after[0] == entry
    assert after[1]['area'] == mask.sum()
    assert after[1]['bbox'] == [20, 15, WIDTH - 20, HEIGHT - 15]


def test_a_covered_annotation_becomes_an_rle_and_a_wholly_covered_one_goes():
    entries = [
        dict(id=0, category_id=7, segmentation=[[0, 0, 20, 0, 20, 20, 0, 20]], area=400),
        dict(id=1, category_id=8, segmentation=[[2, 2, 6, 2, 6, 6, 2, 6]], area=16),
    ]
    layers = Layers(entries, LABELS, HEIGHT, WIDTH)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:12, :12] = 1
    layers.add(3, dict(id=2, category_id=9), mask)
    after = {e['id']: e for e in layers.entries()}
    assert set(after) == {0, 2}
    assert after[0]['area'] == decode(entries[0]['segmentation']).sum() - 144
    assert decode(after[0]['segmentation'])[:12, :12].sum() == 0
    image = dict(id=0, file_name='a', height=HEIGHT, width=WIDTH)
    names = [dict(id=7, name='Paper'), dict(id=8, name='Metal'), dict(id=9, name='Glass')]
    annotations = [e | dict(image_id=0) for e in after.values()]
    content = dict(images=[image], categories=names, annotations=annotations)
    assert list(find_problems(content, built_in())) == []


def test_outlines_move_with_their_patch():
    outline = [[4.0, 5.0, 14.0, 5.0, 14.0, 11.0, 9.0, 15.0, 4.0, 11.0]]
    entry = dict(id=0, category_id=7, segmentation=outline, area=80)
    layers = Layers([entry], LABELS, HEIGHT, WIDTH)
    patch = cut_patch(np.zeros((HEIGHT, WIDTH, 3), np.uint8), layers.places() == 1, 1)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        placement = draw_placement(rng, patch, (100, 100), (1, 3))
        moved = layers.moved_outline(0, patch, placement)
        xs, ys = np.array(moved[0][::2]), np.array(moved[0][1::2])
        scale = placement.width / patch.mask.shape[1], placement.height / patch.mask.shape[0]
        assert abs(np.ptp(xs) - 10 * scale[0]) < 0.02
        assert abs(np.ptp(ys) - 10 * scale[1]) < 0.02
        nose = xs[ys.argmax()] - xs.min()
        assert abs(nose - 5 * scale[0]) < 0.02
        assert xs.min() >= placement.left
        assert xs.max() <= placement.left + placement.width


def test_an_outline_is_kept_only_where_nothing_lies_on_it():
    square = dict(id=0, category_id=7, segmentation=[[0, 0, 20, 0, 20, 20, 0, 20]], area=400)
    speck = dict(id=1, category_id=8, segmentation=[[5, 5, 9, 5, 9, 9, 5, 9]], area=16)
    photo = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for entries, kept in (([square], True), ([square, speck], False)):
        layers = Layers(entries, LABELS, HEIGHT, WIDTH)
        patch = cut_patch(photo, layers.places() == 1, 1)
        placement = draw_placement(np.random.default_rng(0), patch, (HEIGHT, WIDTH))
        assert (layers.moved_outline(0, patch, placement) is not None) == kept
