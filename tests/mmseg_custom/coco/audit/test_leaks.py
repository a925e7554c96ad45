"""Photos that are on both sides of a split."""

import json
import shutil

import cv2
import pytest
from conftest import coco

from mmseg_custom.classes import built_in
from mmseg_custom.coco.audit import AuditOptions, audit_files, open_split

LEAKS = ('leaked-name', 'leaked-paste', 'leaked-copy', 'near-duplicate', 'repeated-photo')


@pytest.fixture
def splits(toy_set, tmp_path):
    """Write splits of photos with these names and fields; returns the leaks found in them."""
    photos = sorted((toy_set / 'batch_01').glob('*.jpg'))

    def write(*lists, options=AuditOptions()):  # noqa: B008
        files = []
        for number, images in enumerate(lists):
            entries = []
            for place, image in enumerate(images):
                image = image if isinstance(image, dict) else dict(file_name=image)
                name = image['file_name']
                if not (tmp_path / name).exists():
                    shutil.copy(photos[int(name[0], 36)], tmp_path / name)
                entries.append(dict(id=place, height=64, width=64) | image)
            path = tmp_path / f'{number}.json'
            path.write_text(json.dumps(coco(entries, [])))
            files.append(open_split(path, built_in()))
        found = audit_files(files, options)
        return [(f.kind, f.file[-6:-5], f.image) for f in found if f.kind in LEAKS]

    return write


def test_a_clean_split_has_no_leak(splits):
    assert splits(['0.jpg', '1.jpg'], ['2.jpg'], ['3.jpg']) == []


def test_the_earlier_file_is_told(splits):
    found = splits(['0.jpg', '1.jpg'], ['./1.jpg', '2.jpg'], ['2.jpg', '0.jpg'])
    assert found == [(LEAKS[0], '0', '0.jpg'), (LEAKS[0], '0', '1.jpg'), (LEAKS[0], '1', '2.jpg')]


def test_repeats_inside_one_file_are_no_fault(splits):
    assert splits(['0.jpg', '0.jpg', '1.jpg'], ['2.jpg', '2.jpg']) == []


@pytest.mark.parametrize('same', [False, True])
def test_a_name_in_another_folder_is_another_photo(toy_set, tmp_path, same):
    photos = sorted((toy_set / 'batch_01').glob('*.jpg'))
    files = []
    for number in (0, 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(photos[0 if same else number], folder / '0000.jpg')
        entry = dict(id=0, file_name='0000.jpg', height=64, width=64)
        (folder / 'ann.json').write_text(json.dumps(coco([entry], [])))
        files.append(open_split(folder / 'ann.json', built_in()))
    found = [f.kind for f in audit_files(files, AuditOptions()) if f.kind in LEAKS]
    assert found == (['leaked-copy'] if same else [])
    unread = audit_files(files, AuditOptions(photos=False))
    assert [f.kind for f in unread if f.kind in (*LEAKS, 'same-name')] == ['same-name']


def test_two_names_of_one_folder_are_one(toy_set, tmp_path):
    (tmp_path / 'link').symlink_to(toy_set)
    files = [
        open_split(path, built_in()) for path in (toy_set / 'val.json', tmp_path / 'link/val.json')
    ]
    found = audit_files(files, AuditOptions(photos=False))
    assert {f.kind for f in found if f.kind in (*LEAKS, 'same-name')} == {'leaked-name'}


def test_copies_under_another_name(splits):
    assert splits(['0.jpg', '1.jpg', '1_copy.jpg'], ['0_copy.jpg']) == [
        ('leaked-copy', '0', '0.jpg'),
        ('repeated-photo', '0', '1_copy.jpg'),
    ]


def test_photos_that_look_the_same(splits, tmp_path, toy_set):
    photo = cv2.imread(str(sorted((toy_set / 'batch_01').glob('*.jpg'))[0]))
    cv2.imwrite(str(tmp_path / '0_again.jpg'), photo, [cv2.IMWRITE_JPEG_QUALITY, 70])
    names = ['0.jpg', '1.jpg'], ['0_again.jpg']
    far = AuditOptions(hash_distance=6)
    assert splits(*names, options=far) == [('near-duplicate', '0', '0.jpg')]
    assert splits(*names[::-1], options=far) == [('near-duplicate', '0', '0_again.jpg')]
    assert splits(*names, options=AuditOptions(photos=False)) == []


PASTED = dict(file_name='5.jpg', pasted_from=['1.jpg', 'x.jpg'], pasted_onto='0.jpg')


@pytest.mark.parametrize(
    ('train', 'val', 'told'),
    [
        ([PASTED], ['0.jpg'], '5.jpg'),
        ([PASTED], ['1.jpg'], '5.jpg'),
        ([PASTED], ['2.jpg'], None),
        ([PASTED, '0.jpg', '1.jpg'], ['2.jpg'], None),
        (['2.jpg', '1.jpg'], [PASTED], '1.jpg'),
        ([PASTED], [dict(file_name='6.jpg', pasted_from='x.jpg', pasted_onto='3.jpg')], '5.jpg'),
        ([PASTED], [dict(file_name='6.jpg', pasted_from=[4, None], pasted_onto=[])], None),
    ],
)
def test_paste_sets_bring_their_sources_with_them(splits, train, val, told):
    assert splits(train, val) == ([('leaked-paste', '0', told)] if told else [])
