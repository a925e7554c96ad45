"""The valid part of a broken file: it has no problem, and every problem is told."""

import copy
import json
import math
from contextlib import suppress

import pytest
from conftest import coco
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems
from mmseg_custom.coco.audit import open_split

SQUARE = [4, 4, 20, 4, 20, 20, 4, 20]
STRANGE = [None, -1, 0, 3, 99, True, 'x', '', [], {}, [1, 2], 1.5, math.nan, 10**400]


def good() -> dict:
    return coco(
        [dict(id=i, file_name=f'{i}.jpg', height=32, width=40) for i in range(4)],
        [
            dict(id=n, image_id=n % 4, category_id=7 + n % 3, segmentation=[SQUARE], area=256)
            for n in range(8)
        ],
    )


@pytest.fixture
def opened(tmp_path):
    def write_and_open(content):
        path = tmp_path / 'ann.json'
        path.write_text(json.dumps(content))
        return open_split(path, built_in())

    return write_and_open


def faults(content):
    """Every place in the file that a strange value can be put at."""
    for name in ('images', 'annotations', 'categories'):
        yield (name,)
        for place, entry in enumerate(content[name]):
            yield name, place
            yield from ((name, place, key) for key in entry)


PLACES = list(faults(good()))


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(STRANGE)), max_size=4))
def test_whatever_is_broken_is_told_and_the_rest_is_sound(tmp_path_factory, changes):
    content = good()
    for place, value in changes:
        target = content
        # An earlier change may have taken the place away.
        with suppress(TypeError, LookupError):
            for key in place[:-1]:
                target = target[key]
            target[place[-1]] = copy.deepcopy(value)
    path = tmp_path_factory.mktemp('set') / 'ann.json'
    path.write_text(json.dumps(content))
    file = open_split(path, built_in())
    told = [finding.message for finding in file.problems]
    assert set(find_problems(json.loads(path.read_text()), built_in())) <= set(told)
    if file.valid is None:
        assert {'broken-file', 'bad-category'} & {finding.kind for finding in file.problems}
    else:
        rest = [
            text
            for text in find_problems(file.valid, built_in())
            if not text.startswith('annotation id')
        ]
        assert rest == []
    assert (told == []) == (list(find_problems(content, built_in())) == [])


def test_images_of_one_id_are_all_set_aside(opened):
    content = good()
    content['images'][3]['id'] = 1
    file = opened(content)
    assert [image['file_name'] for image in file.valid['images']] == ['0.jpg', '2.jpg']
    assert {entry['image_id'] for entry in file.valid['annotations']} == {0, 2}
    kinds = {(finding.kind, finding.image) for finding in file.problems}
    assert ('bad-image', '3.jpg') in kinds


def test_a_finding_names_image_and_annotation(opened):
    content = good()
    content['annotations'][5]['segmentation'] = []
    del content['images'][2]['height']
    image, annotation = opened(content).problems
    assert (image.kind, image.image, image.annotation) == ('bad-image', '2.jpg', None)
    found = annotation.kind, annotation.image, annotation.annotation, annotation.severity
    assert found == ('bad-annotation', '1.jpg', 5, 'error')


def test_a_file_without_images_is_told(opened):
    (finding,) = opened(coco([], [])).problems
    assert (finding.kind, finding.message) == ('broken-file', 'lists no image')


def test_an_unlabelled_file_is_sound(opened):
    content = dict(images=good()['images'])
    file = opened(content)
    assert (file.problems, file.valid, file.painted) == ([], content, [])
