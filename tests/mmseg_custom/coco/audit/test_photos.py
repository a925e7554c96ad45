"""Photos and masks that cannot be used."""

import json
import shutil

import cv2
import numpy as np
import pytest
from conftest import coco

from mmseg_custom.classes import built_in
from mmseg_custom.coco import save_mask
from mmseg_custom.coco.audit import AuditOptions, audit_files, open_split
from mmseg_custom.utils import UserError


@pytest.fixture
def photos(small_set):
    """Four photos, and masks for the last two."""
    images = [dict(id=i, file_name=f'p/{i}.jpg', height=40, width=48) for i in range(4)]
    for image in images[2:]:
        image['seg_map_path'] = f'm/{image["id"]}.png'
    path = small_set(coco(images, []))
    for image in images[2:]:
        save_mask(path.parent / image['seg_map_path'], np.zeros((40, 48), np.uint8), built_in())
    return path


def findings(path, *kinds):
    found = audit_files([open_split(path, built_in())], AuditOptions())
    return [(f.kind, f.image) for f in found if f.kind != 'no-annotation']


def test_sound_photos_are_quiet(photos):
    assert findings(photos) == []


def test_each_fault_is_found(photos):
    folder = photos.parent
    (folder / 'p/0.jpg').unlink()
    content = (folder / 'p/1.jpg').read_bytes()
    (folder / 'p/1.jpg').write_bytes(content[: len(content) // 2])
    cv2.imwrite(str(folder / 'p/2.jpg'), np.zeros((48, 40, 3), np.uint8))
    save_mask(folder / 'm/3.png', np.full((40, 48), 77, np.uint8), built_in())
    found = findings(photos)
    assert found == [
        ('missing-photo', 'p/0.jpg'),
        ('bad-photo', 'p/1.jpg'),
        ('bad-photo', 'p/2.jpg'),
        ('bad-mask', 'p/3.jpg'),
    ]


@pytest.mark.parametrize('name', ['p', 'a\0b.jpg', 'x' * 400 + '.jpg', 'empty.jpg'])
def test_names_that_are_no_photo_are_findings(photos, name):
    (photos.parent / 'empty.jpg').touch()
    content = json.loads(photos.read_text())
    content['images'][0]['file_name'] = name
    photos.write_text(json.dumps(content))
    (finding,) = [f for f in findings(photos) if f[0].endswith('photo')]
    assert finding[1] == name


def test_a_repeated_photo_is_found_for_each_entry(photos):
    content = json.loads(photos.read_text())
    content['images'].append(content['images'][0] | dict(id=9))
    photos.write_text(json.dumps(content))
    assert findings(photos) == []
    (photos.parent / 'p/0.jpg').unlink()
    assert findings(photos) == [('missing-photo', 'p/0.jpg')] * 2


def test_pictures_that_no_file_lists_are_counted(photos):
    for number in range(7):
        shutil.copy(photos.parent / 'p/0.jpg', photos.parent / f'extra_{number}.JPG')
    (photos.parent / '.hidden.png').touch()
    (photos.parent / 'notes.txt').touch()
    (finding,) = [
        f
        for f in audit_files([open_split(photos, built_in())], AuditOptions())
        if f.kind == 'unused-file'
    ]
    assert finding.message.startswith('7 pictures') and 'extra_4.JPG, …' in finding.message
    assert finding.severity == 'note'


def test_a_picture_whose_entry_is_wrong_is_listed_all_the_same(photos):
    content = json.loads(photos.read_text())
    content['images'][0]['height'] = 40000 * 40000
    photos.write_text(json.dumps(content))
    kinds = {f.kind for f in audit_files([open_split(photos, built_in())], AuditOptions())}
    assert 'bad-image' in kinds and 'unused-file' not in kinds


def test_a_wrong_data_root_is_one_message(photos, tmp_path):
    (tmp_path / 'elsewhere').mkdir()
    file = open_split(photos, built_in(), tmp_path / 'elsewhere')
    with pytest.raises(UserError, match='not one of its 4 photos is in'):
        audit_files([file], AuditOptions())
    assert {f.severity for f in audit_files([file], AuditOptions(photos=False))} == {'note'}
