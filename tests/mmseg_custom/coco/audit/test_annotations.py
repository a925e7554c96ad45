"""Findings about annotations, against complete masks drawn one by one with pycocotools."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import coco
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from mmseg_custom.classes import built_in
from mmseg_custom.coco.audit import AuditOptions, audit_files, open_split
from mmseg_custom.coco.audit.annotations import image_findings
from mmseg_custom.coco.audit.split_file import SplitFile

HEIGHT, WIDTH = 30, 40
IMAGE = dict(id=0, file_name='a.jpg', height=HEIGHT, width=WIDTH)
OPTIONS = AuditOptions(max_overlap=0.5, max_share=0.3, photos=False)


def found(entries, options=OPTIONS, image=IMAGE):
    content = coco([image], entries)
    file = SplitFile('ann.json', built_in(), Path(), content, content, [])
    return list(image_findings(file, image, entries, options))


def kinds(entries, **options):
    return [(f.kind, f.annotation) for f in found(entries, AuditOptions(**options))]


def box(number, x, y, width, height, category=7, **others):
    polygon = [x, y, x + width, y, x + width, y + height, x, y + height]
    entry = dict(id=number, image_id=0, category_id=category, segmentation=[polygon])
    return entry | dict(area=float(width * height), bbox=[x, y, width, height]) | others


def naive(entries, options):
    """Kinds that follow from complete masks."""
    masks = []
    for entry in entries:
        rles = mask_utils.frPyObjects(entry['segmentation'], HEIGHT, WIDTH)
        masks.append(mask_utils.decode(rles).any(axis=2))
    order = sorted(range(len(entries)), key=lambda i: -entries[i]['area'])
    owner = np.full((HEIGHT, WIDTH), -1)
    for i in order:
        owner[masks[i]] = i
    wanted = []
    for place, i in enumerate(order):
        covered = masks[i].sum()
        if not covered:
            wanted.append(('empty', i))
            continue
        if not (owner == i).any():
            wanted.append(('hidden', i))
        if covered / (HEIGHT * WIDTH) > options.max_share:
            wanted.append(('fills-photo', i))
        if covered < options.min_pixels:
            wanted.append(('speck', i))
        if abs(entries[i]['area'] - covered) > max(16, 0.1 * covered):
            wanted.append(('wrong-area', i))
        for j in order[place + 1 :]:
            iou = (masks[i] & masks[j]).sum() / (masks[i] | masks[j]).sum()
            if iou > options.max_overlap and entries[i]['category_id'] != entries[j]['category_id']:
                wanted.append(('contradiction', i))
    return wanted


boxes = st.lists(
    st.tuples(
        st.integers(0, WIDTH - 1),
        st.integers(0, HEIGHT - 1),
        st.integers(0, 25),
        st.integers(0, 25),
        st.sampled_from([7, 8, 9]),
        st.one_of(st.none(), st.integers(0, 700)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200)
@given(boxes)
def test_the_same_as_with_whole_masks(drawn):
    entries = []
    for number, (x, y, width, height, category, area) in enumerate(drawn):
        width, height = min(width, WIDTH - x), min(height, HEIGHT - y)
        entry = box(number, x, y, width, height, category)
        del entry['bbox']
        entries.append(entry if area is None else entry | dict(area=area))
    got = [(f.kind, f.annotation) for f in found(entries)]
    assert sorted(got) == sorted(naive(entries, OPTIONS))


def test_a_small_thing_on_a_large_one_is_normal():
    bottle, label = box(1, 2, 2, 20, 20), box(2, 4, 4, 15, 15, 8)
    assert kinds([bottle, label]) == []
    assert kinds([bottle, label], max_overlap=0.5) == [('contradiction', 1)]
    assert kinds([bottle, box(2, 2, 2, 20, 20, 7)]) == [('hidden', 1)]
    same = found([bottle, box(2, 2, 2, 20, 19, 9)], AuditOptions())
    assert [f.kind for f in same] == ['contradiction']
    for part in ('annotation 1 (General trash, a.jpg)', 'annotation 2 (Plastic bag)', '0.95'):
        assert part in same[0].message


def test_what_fills_the_photo_concerns_the_whole_image():
    (finding,) = found([box(1, 0, 0, WIDTH, HEIGHT)], AuditOptions())
    assert (finding.kind, finding.drops, finding.entry) == ('fills-photo', 'image', IMAGE)
    assert kinds([box(1, 0, 0, WIDTH, HEIGHT)], max_share=1.0) == []


@pytest.mark.parametrize(
    ('bbox', 'wrong'),
    [
        ([2, 2, 20, 20], False),
        ([6.5, -2.5, 15.5, 29], False),
        ([2, 2, 20, 26], True),
        ([8, 2, 14, 20], True),
        ([2, 2, 22], True),
        ([2, 2, 20, float('nan')], True),
        ([2, 2, 20, '20'], True),
        (None, True),
    ],
)
def test_boxes_may_be_a_little_off(bbox, wrong):
    assert kinds([box(1, 2, 2, 20, 20, bbox=bbox)]) == [('wrong-bbox', 1)] * wrong


def test_on_a_large_photo_boxes_may_be_off_further():
    large = IMAGE | dict(height=1000, width=1000)
    entry = box(1, 100, 100, 200, 200, bbox=[115, 100, 185, 200])
    assert found([entry], AuditOptions(), large) == []
    assert [f.kind for f in found([entry], AuditOptions(), large | dict(width=400))] == []
    small = large | dict(height=400, width=400)
    assert [f.kind for f in found([entry], AuditOptions(), small)] == ['wrong-bbox']


def test_absent_classes_are_noted_unless_masks_may_have_them(tmp_path):
    images = [IMAGE, IMAGE | dict(id=1, file_name='b.jpg')]
    content = coco(images, [box(1, 2, 2, 20, 20), box(2, 2, 2, 20, 20, 8, image_id=1)])
    path = tmp_path / 'ann.json'
    for masks, number in ((False, 8), (True, 0)):
        images[1]['seg_map_path'] = 'b.png' if masks else None
        path.write_text(json.dumps(content))
        findings = audit_files([open_split(path, built_in())], AuditOptions(photos=False))
        assert [f.kind for f in findings] == ['absent-class'] * number
