import json

import numpy as np
import pytest
from conftest import coco

from mmseg_custom.classes import built_in
from mmseg_custom.coco import read_coco, save_mask, split_content
from mmseg_custom.coco.fold_numbers import fold_numbers
from mmseg_custom.coco.labelled_set import labelled_samples, read_set
from mmseg_custom.utils import UserError

SQUARE = [2, 2, 9, 2, 9, 9, 2, 9]


def content(images=6, first_id=10):
    entries = [
        dict(id=first_id + i, file_name=f'p/{i}.png', height=16, width=16) for i in range(images)
    ]
    annotations = [
        dict(id=i, image_id=first_id + i, category_id=7, segmentation=[SQUARE], area=49)
        for i in range(images)
    ]
    return coco(entries, annotations)


@pytest.fixture
def folds(tmp_path):
    """A set and its three folds; returns the set's path, the folder and the fold of each image."""
    (tmp_path / 'ann.json').write_text(json.dumps(content()))
    (tmp_path / 'folds').mkdir()
    fold_of = np.array([2, 0, 1, 1, 0, 2])
    for fold, (_, val) in enumerate(split_content(content(), fold_of, 3)):
        (tmp_path / 'folds' / f'kfold_{fold}_val.json').write_text(json.dumps(val))
    return tmp_path / 'ann.json', tmp_path / 'folds', fold_of


def test_paths_are_complete(tmp_path, small_set):
    masked = content()
    masked['images'][1]['seg_map_path'] = 'm/1.png'
    path = small_set(masked)
    save_mask(tmp_path / 'm' / '1.png', np.zeros((16, 16), np.uint8), built_in())
    samples = labelled_samples(path, built_in())
    assert samples[0]['img_path'] == str(tmp_path / 'p' / '0.png')
    assert samples[1]['seg_map_path'] == str(tmp_path / 'm' / '1.png')
    assert 'annotations' not in samples[1]
    other = labelled_samples(path, built_in(), tmp_path / 'other')
    assert other[1]['seg_map_path'] == str(tmp_path / 'other' / 'm' / '1.png')


def test_a_file_without_images_or_labels_is_refused(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(coco([], [])))
    with pytest.raises(UserError, match=r'a\.json: lists no image'):
        labelled_samples(path, built_in())
    path.write_text(json.dumps(dict(images=content()['images'])))
    with pytest.raises(UserError, match='has no "annotations"'):
        labelled_samples(path, built_in())


def test_several_files_are_one_set_and_its_groups(tmp_path):
    paths = [str(tmp_path / name) for name in ('a.json', 'b.json')]
    for path, images in zip(paths, (2, 3), strict=True):
        (tmp_path / path).write_text(json.dumps(content(images)))
    found = read_set(paths, built_in())
    assert [sample['file_name'] for sample in found.samples] == [
        *('p/0.png', 'p/1.png'),
        *('p/0.png', 'p/1.png', 'p/2.png'),
    ]
    assert found.files == [dict(path=paths[0], images=2), dict(path=paths[1], images=3)]
    assert found.groups == paths
    np.testing.assert_array_equal(found.group_of, [0, 0, 1, 1, 1])
    assert read_set(paths[:1], built_in()).groups == []
    with pytest.raises(UserError, match=r'folds of one file: leave out .*b\.json'):
        read_set(paths, built_in(), folds=str(tmp_path))


def test_folds_are_found_again(folds):
    path, folder, fold_of = folds
    # A tenth fold comes after the second, not before it.
    (folder / 'kfold_2_val.json').rename(folder / 'kfold_10_val.json')
    names, found = fold_numbers(path, labelled_samples(path, built_in()), folder, built_in())
    assert names == ['fold 0', 'fold 1', 'fold 10']
    np.testing.assert_array_equal(found, fold_of)
    assert read_set([str(path)], built_in(), folds=str(folder)).groups == names


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda folder: (folder / 'kfold_1_val.json').unlink(), r'p/2\.png of .* in none of the'),
        (
            lambda folder: (folder / 'kfold_1_val.json').write_text(json.dumps(content(7))),
            'kfold_1_val.json: image 11 .* is in another fold',
        ),
        (
            lambda folder: (folder / 'kfold_0_val.json').write_text(json.dumps(content(1, 50))),
            'kfold_0_val.json: image 50 .* is not in',
        ),
        (lambda folder: [f.unlink() for f in folder.iterdir()], 'has no kfold_0_val.json'),
    ],
)
def test_what_is_no_partition_of_the_set_is_refused(folds, spoil, message):
    path, folder, _ = folds
    spoil(folder)
    with pytest.raises(UserError, match=message):
        fold_numbers(path, labelled_samples(path, built_in()), folder, built_in())


def test_folds_with_the_ids_of_another_set_are_refused(folds):
    path, folder, _ = folds
    val = read_coco(folder / 'kfold_0_val.json')
    val['images'][0]['file_name'] = 'another.png'
    (folder / 'kfold_0_val.json').write_text(json.dumps(val))
    with pytest.raises(UserError, match=r'another\.png\) is not in'):
        fold_numbers(path, labelled_samples(path, built_in()), folder, built_in())
