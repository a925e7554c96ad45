import json
from fractions import Fraction
from math import floor

import cv2
import numpy as np
import pytest
from batches import write_batches
from conftest import call_tool
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, paint, read_coco
from mmseg_custom.coco.convert.resize import nearest_pixels

TOOL = 'data_prep/resize.py'


def painted(path):
    """Paint each photo by pycocotools, larger areas first."""
    api = COCO(str(path))
    for key, image in api.imgs.items():
        mask = np.zeros((image['height'], image['width']), np.uint8)
        for entry in sorted(api.imgToAnns[key], key=lambda one: -one['area']):
            mask[api.annToMask(entry) == 1] = 1 + entry['category_id']
        yield image['file_name'], mask


def test_the_copy_is_painted_as_the_nearest_pixels_of_the_original(tmp_path, capsys):
    data = write_batches(tmp_path)
    out = tmp_path / 'small'
    command = (TOOL, data, '--out', out, '--size', 23, '--workers', 2)
    printed = call_tool(capsys, *command).out
    assert f'9 photos with 36 annotations: {out}/data.json' in printed
    (tmp_path / 'joined.json').write_text(json.dumps(read_coco(data)))
    masks = dict(painted(tmp_path / 'joined.json'))
    for name, mask in painted(out / 'data.json'):
        large = masks[name]
        expected = cv2.resize(large, mask.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        np.testing.assert_array_equal(mask, expected)
        assert max(mask.shape) == 23
        photo = cv2.imread(str(out / name))
        assert photo.shape[:2] == mask.shape
        whole = cv2.resize(
            cv2.imread(str(data / name)), mask.shape[::-1], interpolation=cv2.INTER_AREA
        )
        assert np.abs(photo.astype(int) - whole).mean() < 4
    # Our own reader paints the same.
    classes = built_in('recycle_trash_2021')
    for sample in coco_to_samples(read_coco(out / 'data.json'), classes):
        found = paint(sample['annotations'], sample['height'], sample['width'], fill=0)
        truth = dict(painted(out / 'data.json'))[sample['file_name']]
        np.testing.assert_array_equal(found, truth)


def test_a_stopped_run_continues_and_another_set_is_refused(tmp_path, capsys):
    data, out = write_batches(tmp_path), tmp_path / 'small'
    command = (TOOL, data, '--out', out, '--size', 23, '--workers', 1)
    call_tool(capsys, *command)
    first = {path: path.read_bytes() for path in out.rglob('*.*')}
    (out / 'batch_02' / '0001.jpg').unlink()
    (out / 'data.json').unlink()
    assert '8 photos of this size existed already' in call_tool(capsys, *command).out
    assert {path: path.read_bytes() for path in out.rglob('*.*')} == first
    other = (TOOL, data / 'batch_01/data.json', '--out', out, '--size', 23)
    assert 'annotations: was' in call_tool(capsys, *other, code=2).err
    same = (TOOL, data, '--out', data)
    assert 'is the folder of the original photos' in call_tool(capsys, *same, code=2).err


def test_a_missing_photo_is_named(tmp_path, capsys):
    data = write_batches(tmp_path)
    (data / 'batch_03' / '0002.jpg').unlink()
    done = call_tool(capsys, TOOL, data, '--out', tmp_path / 'o', '--workers', 1, code=2)
    assert 'batch_03/0002.jpg: no such photo' in done.err
    assert not (tmp_path / 'o' / 'data.json').exists()


@settings(max_examples=200)
@given(before=st.integers(1, 4000), after=st.integers(1, 600))
def test_nearest_pixels_are_exact(before, after):
    """OpenCV and Pillow round where a middle falls between two pixels; fractions do not."""
    middles = [Fraction(2 * i + 1, 2) * before / after for i in range(after)]
    np.testing.assert_array_equal(nearest_pixels(before, after), list(map(floor, middles)))


@pytest.mark.parametrize('target', ['ignore', 'Background'])
def test_a_class_map_is_applied(tmp_path, capsys, target):
    data = write_batches(tmp_path)
    (tmp_path / 'map.csv').write_text(f'source,class\nUNKNOWN,{target}\n')
    arguments = ('--class-map', tmp_path / 'map.csv', '--workers', 1)
    call_tool(capsys, TOOL, data, '--out', tmp_path / 'o', *arguments)
    names = {one['name'] for one in COCO(str(tmp_path / 'o' / 'data.json')).cats.values()}
    assert target in names and 'UNKNOWN' not in names
