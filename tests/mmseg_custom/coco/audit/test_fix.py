"""Faults put into a clean set are found, and gone from the fixed one."""

import json
import math
from collections import Counter

import numpy as np
import pytest
from conftest import coco
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems
from mmseg_custom.coco.audit import (
    AuditOptions,
    audit_files,
    fix_file,
    open_split,
    planned_outputs,
    write_log,
)
from mmseg_custom.utils import UserError

SIZE, IMAGES = 64, 6
OPTIONS = AuditOptions(photos=False)


def square(number, image, x, y, side, category):
    polygon = [x, y, x + side, y, x + side, y + side, x, y + side]
    entry = dict(id=number, image_id=image, category_id=category, segmentation=[polygon])
    return entry | dict(area=float(side * side), bbox=[x, y, side, side])


def clean_set(first=0):
    """Each image has a large square, a small one on it, and one beside."""
    images, entries = [], []
    for image in range(first, first + IMAGES):
        images.append(dict(id=image, file_name=f'{image}.jpg', height=SIZE, width=SIZE))
        for x, side, category in ((2, 30, 7), (8, 10, 8), (40, 20, 9)):
            entries.append(square(10 * image + len(entries) % 3, image, x, x, side, category))
    return coco(images, entries)


def of_image(content, image):
    return [entry for entry in content['annotations'] if entry['image_id'] == image]


def no_polygon(content, image):
    entry = of_image(content, image)[0]
    entry['segmentation'] = [[1, 2, 3, 4]]
    return 'bad-annotation', entry['id']


def unknown_category(content, image):
    entry = of_image(content, image)[1]
    entry['category_id'] = 99
    return 'bad-annotation', entry['id']


def not_a_number(content, image):
    entry = of_image(content, image)[2]
    entry['area'] = math.nan
    return 'bad-annotation', entry['id']


def id_twice(content, image):
    first, second, _ = of_image(content, image)
    second['id'] = first['id']
    return 'bad-annotation', first['id']


def no_height(content, image):
    del content['images'][image]['height']
    return 'bad-image', None


def small_area(content, image):
    entry = of_image(content, image)[0]
    entry['area'] = 1
    return 'wrong-area', entry['id']


def other_box(content, image):
    entry = of_image(content, image)[0]
    entry['bbox'] = [40, 40, 20, 20]
    return 'wrong-bbox', entry['id']


def extra(content, image, x, side, category):
    content['annotations'].append(square(1000 + image, image, x, x, side, category))


def same_place(content, image):
    other = of_image(content, image)[2]
    extra(content, image, 40, 20, 8)
    return 'contradiction', other['id']


def drawn_twice(content, image):
    other = of_image(content, image)[1]
    extra(content, image, 8, 10, 8)
    return 'hidden', other['id']


def no_pixel(content, image):
    extra(content, image, 5, 0, 8)
    return 'empty', 1000 + image


def whole_photo(content, image):
    extra(content, image, 0, SIZE, 7)
    return 'fills-photo', 1000 + image


def listed_in_validation(content, image):
    content['images'][image]['file_name'] = f'{IMAGES + image}.jpg'
    return 'leaked-name', None


FAULTS = [
    no_polygon,
    unknown_category,
    not_a_number,
    id_twice,
    no_height,
    small_area,
    other_box,
    same_place,
    drawn_twice,
    no_pixel,
    whole_photo,
    listed_in_validation,
]


def painted(content, name):
    """The mask of an image by pycocotools, larger area first."""
    (image,) = [i for i in content['images'] if i['file_name'] == name]
    mask = np.zeros((SIZE, SIZE), int)
    for entry in sorted(of_image(content, image['id']), key=lambda e: -e['area']):
        rle = mask_utils.merge(mask_utils.frPyObjects(entry['segmentation'], SIZE, SIZE))
        mask[mask_utils.decode(rle) == 1] = entry['category_id']
    return mask


def fixed(folder, *contents, options=OPTIONS):
    """Findings, the fixed contents, the changes, and the findings in the fixed files."""
    paths = [folder / f'{number}.json' for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(json.dumps(content))
    files = [open_split(path, built_in()) for path in paths]
    findings = audit_files(files, options)
    results = [fix_file(file, findings, options) for file in files]
    for path, (content, _) in zip(paths, results, strict=True):
        path.write_text(json.dumps(content))
    again = audit_files([open_split(path, built_in()) for path in paths], options)
    changes = [change for _, of_file in results for change in of_file]
    return findings, [content for content, _ in results], changes, again


def test_the_clean_set_is_left_as_it_is(tmp_path):
    train, val = clean_set(), clean_set(IMAGES)
    findings, contents, changes, _ = fixed(tmp_path, train, val)
    assert {f.severity for f in findings} == {'note'}
    assert (contents, changes) == ([train, val], [])


HARMLESS = (None, id_twice, not_a_number, small_area, other_box, drawn_twice, no_pixel)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([None, *FAULTS]), min_size=IMAGES - 1, max_size=IMAGES - 1))
def test_every_fault_is_found_and_gone(tmp_path_factory, faults):
    train, val = clean_set(), clean_set(IMAGES)
    wanted = [fault(train, image) for image, fault in enumerate(faults) if fault]
    findings, contents, changes, again = fixed(tmp_path_factory.mktemp('set'), train, val)
    assert set(wanted) <= {(f.kind, f.annotation) for f in findings}
    assert {f.severity for f in again} <= {'note'}
    assert contents[1] == val
    assert list(find_problems(contents[0], built_in())) == []
    assert len(changes) >= len(wanted)
    for image, fault in enumerate(faults):
        if fault in HARMLESS:
            after = painted(contents[0], f'{image}.jpg')
            np.testing.assert_array_equal(after, painted(clean_set(), f'{image}.jpg'))


def test_the_upper_of_two_classes_stays(tmp_path):
    train = clean_set()
    same_place(train, 0)
    _, (content,), changes, _ = fixed(tmp_path, json.loads(json.dumps(train)))
    np.testing.assert_array_equal(painted(content, '0.jpg'), painted(train, '0.jpg'))
    assert [(c.change, c.annotation) for c in changes] == [('dropped annotation', 2)]


def test_what_only_a_wrong_area_hides_is_kept(tmp_path):
    train = clean_set()
    small_area(train, 0)
    findings, (content,), changes, _ = fixed(tmp_path, train)
    faults = [(f.kind, f.annotation) for f in findings if f.severity != 'note']
    assert faults == [('hidden', 1), ('wrong-area', 0)]
    assert [(c.change, c.annotation) for c in changes] == [('new area', 0)]
    assert content == clean_set()


def test_annotations_go_with_their_image(tmp_path):
    train = clean_set()
    no_height(train, 0)
    train['images'][2]['id'] = 1
    _, (content,), changes, _ = fixed(tmp_path, train)
    assert [image['file_name'] for image in content['images']] == ['3.jpg', '4.jpg', '5.jpg']
    assert {entry['image_id'] for entry in content['annotations']} == {3, 4, 5}
    counts = Counter((c.change, c.kind) for c in changes)
    assert counts[('dropped image', 'bad-image')] == 2
    assert counts[('dropped image', None)] == 1
    # Those of image 2, which no image has any more, are findings of their own.
    assert counts[('dropped annotation', None)] == 6
    assert counts[('dropped annotation', 'bad-annotation')] == 3


def test_files_without_annotations_stay_so(tmp_path):
    val = dict(images=clean_set(IMAGES)['images'])
    train = dict(images=val['images'][:2] + clean_set()['images'])
    _, contents, changes, _ = fixed(tmp_path, train, val)
    assert contents == [dict(images=clean_set()['images']), val]
    assert [c.kind for c in changes] == ['leaked-name'] * 2


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            lambda content: content.pop('images'),
            'cannot be fixed automatically: lacks the list "images"',
        ),
        (lambda content: content['categories'][1].update(id=7), 'category id 7 occurs twice'),
        (lambda content: content['images'].clear(), 'no image would be left'),
    ],
)
def test_what_cannot_be_fixed_is_refused(tmp_path, change, message):
    content = clean_set()
    change(content)
    with pytest.raises(UserError, match=message):
        fixed(tmp_path, content)


def test_nothing_is_overwritten(tmp_path):
    paths = [tmp_path / 'train.json', tmp_path / 'val.json']
    assert planned_outputs(paths, tmp_path / 'o')[1] == tmp_path / 'o' / 'val.json'
    with pytest.raises(UserError, match='would be overwritten'):
        planned_outputs(paths, tmp_path / 'x' / '..')
    with pytest.raises(UserError, match='the same name'):
        planned_outputs([*paths, tmp_path / 'b' / 'val.json'], tmp_path / 'o')
    with pytest.raises(UserError, match='the same name'):
        planned_outputs([tmp_path / 'dropped.json'], tmp_path / 'o')


def test_the_log_says_what_and_why(tmp_path):
    train = clean_set()
    no_polygon(train, 0)
    _, _, changes, _ = fixed(tmp_path, train)
    write_log(tmp_path, changes)
    (line,) = (tmp_path / 'dropped.txt').read_text().splitlines()
    assert line.split('\t')[1] == 'dropped annotation' and 'fewer than 3 points' in line
    (entry,) = json.loads((tmp_path / 'dropped.json').read_text())
    assert (entry['annotation'], entry['image'], entry['kind']) == (0, '0.jpg', 'bad-annotation')
