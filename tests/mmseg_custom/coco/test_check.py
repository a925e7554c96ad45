"""Each kind of bad file is told by one sentence that names the entry."""

import copy
import math

import pytest
from conftest import coco

from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems

SQUARE = [4, 4, 20, 4, 20, 20, 4, 20]


def good() -> dict:
    return coco(
        [dict(id=i, file_name=f'{i}.jpg', height=32, width=40) for i in (1, 2)],
        [
            dict(id=1, image_id=1, category_id=7, segmentation=[SQUARE], area=256, iscrowd=0),
            dict(id=2, image_id=2, category_id=8, segmentation=[SQUARE], area=256, iscrowd=0),
        ],
    )


def test_a_good_file_has_no_problem():
    assert list(find_problems(good(), built_in())) == []


def test_a_file_without_annotations_is_only_asked_for_its_images():
    content = good()
    del content['annotations'], content['categories']
    assert list(find_problems(content, built_in())) == []


def test_one_pixel_beyond_the_frame_is_allowed():
    content = good()
    content['annotations'][0]['segmentation'] = [[-1, -1, 41, 0, 41, 33, 0, 33]]
    assert list(find_problems(content, built_in())) == []


def set_annotation(**changes):
    return lambda content: content['annotations'][1].update(changes)


def drop(*path):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


def rle(size, counts):
    return set_annotation(segmentation=dict(size=size, counts=counts))


CASES = {
    'no images': (drop('images'), ['"images"']),
    'no categories': (drop('categories'), ['"categories"']),
    'no file_name': (drop('images', 1, 'file_name'), ['images[1]', '"file_name"']),
    'no image_id': (drop('annotations', 1, 'image_id'), ['annotations[1]', '"image_id"']),
    'no segmentation': (drop('annotations', 1, 'segmentation'), ['annotations[1]']),
    'image is a list': (lambda c: c['images'].append([1]), ['images[2]', 'object']),
    'height is text': (lambda c: c['images'][1].update(height='32'), ['image 2', 'height']),
    'width is 0': (lambda c: c['images'][1].update(width=0), ['image 2', 'width']),
    'mask name is a number': (
        lambda c: c['images'][1].update(seg_map_path=5),
        ['image 2', 'seg_map_path 5'],
    ),
    'duplicate image': (
        lambda c: c['images'].append(dict(c['images'][0])),
        ['image id 1 occurs twice'],
    ),
    'duplicate annotation': (set_annotation(id=1), ['annotation id 1 occurs twice']),
    'duplicate category': (
        lambda c: c['categories'].append(dict(id=7, name='Paper')),
        ['category id 7 occurs twice'],
    ),
    'absent image': (set_annotation(image_id=99), ['annotation 2', 'image 99']),
    'unknown category id': (set_annotation(category_id=99), ['annotation 2', 'category 99']),
    'category that is no class': (
        lambda c: c['categories'][1].update(name='Banana'),
        ["'Banana' (1 annotations)", 'none of the classes'],
    ),
    'empty segmentation': (set_annotation(segmentation=[]), ['annotation 2', 'no polygon']),
    'two points': (set_annotation(segmentation=[[1, 2, 3, 4]]), ['2.jpg', 'fewer than 3 points']),
    'odd count': (set_annotation(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), ['odd']),
    'NaN': (set_annotation(segmentation=[[1, 2, 3, 4, 5, math.nan]]), ['NaN']),
    'infinity': (set_annotation(segmentation=[[1, 2, 3, 4, 5, math.inf]]), ['infinite']),
    'text': (set_annotation(segmentation=[[1, 2, 3, 4, 5, 'x']]), ['no number']),
    'a huge number': (set_annotation(segmentation=[[1, 2, 3, 4, 5, 10**400]]), ['no number']),
    'a flat polygon': (set_annotation(segmentation=SQUARE), ['no list']),
    'right of the image': (set_annotation(segmentation=[[1, 2, 60, 4, 5, 6]]), ['outside', '60']),
    'left of the image': (set_annotation(segmentation=[[-9, 2, 6, 4, 5, 6]]), ['outside', '-9']),
    'below the image': (set_annotation(segmentation=[[1, 2, 6, 34, 5, 6]]), ['outside', '34']),
    'RLE of another size': (rle([40, 32], [1280]), ['annotation 2', '[40, 32]', '[32, 40]']),
    'RLE without a size': (rle(None, [1280]), ['size None']),
    'RLE whose size is a number': (rle(40, [1280]), ['size 40']),
    'RLE with too few pixels': (rle([32, 40], [100, 20]), ['120 pixels', '1280']),
    'RLE with a negative run': (rle([32, 40], [1300, -20]), ['cannot be read']),
    'RLE with text runs': (rle([32, 40], ['a']), ['cannot be read']),
    'RLE cut short': (rle([32, 40], '52P'), ['cannot be read']),
    'RLE that is not ASCII': (rle([32, 40], 'é'), ['cannot be read']),
    'RLE without counts': (rle([32, 40], None), ['cannot be read']),
    'area is NaN': (set_annotation(area=math.nan), ['annotation 2', 'area nan']),
    'area is infinite': (set_annotation(area=-math.inf), ['annotation 2', 'area -inf']),
    'area is huge': (set_annotation(area=10**400), ['annotation 2', 'area 1000']),
}


@pytest.mark.parametrize('case', CASES)
def test_each_problem_is_named(case):
    change, words = CASES[case]
    content = copy.deepcopy(good())
    change(content)
    problems = list(find_problems(content, built_in()))
    assert len(problems) == 1, problems
    for word in words:
        assert word in problems[0]


def test_all_problems_are_found_in_one_pass():
    content = good()
    content['annotations'][0]['area'] = 'x'
    content['annotations'][0]['segmentation'] = []
    content['annotations'][1]['category_id'] = 99
    assert len(list(find_problems(content, built_in()))) == 3
