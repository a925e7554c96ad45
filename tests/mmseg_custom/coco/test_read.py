import json

import pytest
from conftest import coco

from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, read_coco, require_valid
from mmseg_custom.utils import UserError

CLASSES = built_in().names

SQUARE = [4, 4, 20, 4, 20, 20, 4, 20]


@pytest.mark.parametrize(
    ('text', 'words'),
    [('{"images": [', 'does not parse'), ('[1, 2]', 'holds a list'), ('\x00\x01', 'not parse')],
)
def test_what_is_no_coco_file_is_named(tmp_path, text, words):
    path = tmp_path / 'a.json'
    path.write_text(text)
    with pytest.raises(UserError, match=words) as error:
        read_coco(path)
    assert str(path) in str(error.value)


def test_a_binary_file_is_named(tmp_path):
    path = tmp_path / 'a.json'
    path.write_bytes(b'\xff\xd8\xff\xe0')
    with pytest.raises(UserError, match='does not parse'):
        read_coco(path)


def test_a_missing_file_says_where_data_comes_from(tmp_path):
    with pytest.raises(UserError, match='no such annotation file'):
        read_coco(tmp_path / 'a.json')


def test_many_problems_become_one_message():
    images = [dict(id=0, file_name='a.jpg', height=9, width=9)]
    annotations = [dict(id=i, image_id=0, category_id=1, segmentation=[]) for i in range(9)]
    with pytest.raises(UserError, match='and 4 more') as error:
        require_valid('a.json', coco(images, annotations), built_in())
    assert str(error.value).count('annotation ') == 5


def test_categories_are_matched_by_name_whatever_their_ids():
    names = ['plastic_bag', 'GENERAL  TRASH', 'Paper-pack']
    images = [dict(id='a', file_name='a.jpg', height=32, width=32)]
    annotations = [
        dict(id=i, image_id='a', category_id=7 + i, segmentation=[SQUARE], area=9 - i)
        for i in range(3)
    ]
    content = coco(images, annotations, names)
    require_valid('a.json', content, built_in())
    labels = [label for label, _ in coco_to_samples(content, built_in())[0]['annotations']]
    assert [CLASSES[label] for label in labels] == ['Plastic bag', 'General trash', 'Paper pack']


def test_larger_areas_are_painted_first_and_equal_ones_in_file_order():
    images = [dict(id=0, file_name='a.jpg', height=32, width=32)]
    areas = [5, 9, None, 5]  # the square without an area is measured: 256
    annotations = [
        dict(id=i, image_id=0, category_id=7, segmentation=[[i, *SQUARE[1:]]], area=area)
        for i, area in enumerate(areas)
    ]
    content = json.loads(json.dumps(coco(images, annotations)))
    ordered = coco_to_samples(content, built_in())[0]['annotations']
    assert [int(polygons[0][0]) for _, polygons in ordered] == [2, 1, 0, 3]
