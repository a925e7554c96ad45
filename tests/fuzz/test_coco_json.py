import json
import re

import numpy as np
import pytest
from hostile_inputs import damaged, fuzz, mutated
from hypothesis import example, given

from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, read_coco, require_valid
from mmseg_custom.coco.segmentation import describe_mask, segmentation_rle
from mmseg_custom.utils import UserError

POLYGON = [[1.0, 1.0, 6.0, 1.0, 6.0, 7.0, 1.0, 7.0]]
SOUND = dict(
    info={},
    images=[dict(id=i, file_name=f'{i}.jpg', height=8, width=9) for i in (1, 2)],
    categories=[dict(id=7, name='Paper'), dict(id=8, name='Plastic bag')],
    annotations=[
        dict(id=1, image_id=1, category_id=7, area=42, segmentation=POLYGON),
        dict(id=2, image_id=2, category_id=8, **describe_mask(np.eye(8, 9, dtype=np.uint8))),
        dict(id=3, image_id=2, category_id=8, segmentation=dict(size=[8, 9], counts=[10, 5, 57])),
    ],
)


def read_or_refuse(path):
    try:
        content = read_coco(path)
        require_valid(path, content, built_in())
    except UserError as error:
        assert str(path) in str(error)
        return
    for sample in coco_to_samples(content, built_in()):
        for _, segmentation in sample.get('annotations', []):
            rle = segmentation_rle(segmentation, sample['height'], sample['width'])
            assert rle['size'] == [sample['height'], sample['width']]


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz') / 'ann.json'


def test_the_unmutated_set_is_sound(path):
    path.write_text(json.dumps(SOUND))
    require_valid(path, read_coco(path), built_in())
    assert len(coco_to_samples(SOUND, built_in())) == 2


@fuzz
@given(content=mutated(SOUND))
def test_a_mutated_set_is_read_or_refused(path, content):
    path.write_text(json.dumps(content))
    read_or_refuse(path)


@fuzz
@given(body=damaged(json.dumps(SOUND).encode()))
@example(body=b'[' * 200_000)
@example(body=b'{"a":' * 200_000)
@example(body=b'{"images": [' + b'9' * 10_000 + b']}')
@example(body=b'\xef\xbb\xbf{}')
def test_a_damaged_file_is_read_or_refused(path, body):
    path.write_bytes(body)
    read_or_refuse(path)


@pytest.mark.parametrize('size', [(8, 9), (10**30, 9), (2**63, 9), (2**40, 2**40), (-8, 9)])
@pytest.mark.parametrize(
    'segmentation',
    [
        [[1, 1, 6, 1, 1e308, 7]],
        [[1, 1, 6, 1, -1e308, 7]],
        [[1e308, 1, 6, 1, -1e308, 7]],
        [[1, 1, 6, 1, 2**62, 7]],
        [[1, 1, 17, 1, 6, 7]],
        dict(size=[8, 9], counts=[10, -5, 67]),
        dict(size=[-8, 9], counts=[10, 5, 57]),
        dict(size=[8, 9], counts=[10, 5, 57 + 2**64]),
    ],
    ids=str,
)
def test_no_odd_number_reaches_pycocotools(path, segmentation, size):
    image = SOUND['images'][0] | dict(height=size[0], width=size[1])
    annotation = SOUND['annotations'][0] | dict(segmentation=segmentation)
    path.write_text(json.dumps(SOUND | dict(images=[image], annotations=[annotation])))
    with pytest.raises(UserError, match=re.escape(str(path))):
        require_valid(path, read_coco(path), built_in())


@pytest.mark.parametrize('size', [(10**30, 9), (2**63, 9), (2**40, 1), (2**20, 2**20)])
def test_a_photo_too_large_to_be_read_is_refused(size):
    image = SOUND['images'][0] | dict(height=size[0], width=size[1])
    with pytest.raises(UserError, match='correct it'):
        require_valid('a.json', SOUND | dict(images=[image], annotations=[]), built_in())
