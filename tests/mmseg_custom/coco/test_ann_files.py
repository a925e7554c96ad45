"""Several annotation files are one set, however they are named."""

import json
from pathlib import Path

import pytest
from batches import write_batches

from mmseg_custom.coco import read_coco
from mmseg_custom.coco.ann_files import AnnFiles, annotation_files, existing_files, joined_path
from mmseg_custom.coco.photo_root import output_stem, photo_root
from mmseg_custom.utils import UserError


def photos_of(path) -> list[Path]:
    content = read_coco(path)
    root = photo_root(path, content)
    return [(root / image['file_name']).resolve() for image in content['images']]


def test_files_folders_and_patterns_that_name_the_same_files_give_the_same_set(tmp_path):
    data = write_batches(tmp_path)
    wanted = read_coco(data)
    files = [str(data / f'batch_{n:02d}' / 'data.json') for n in (1, 2, 3)]
    for paths in (files, [str(data)], [files[0], f'{data}/batch_0[23]/data.json']):
        assert read_coco(AnnFiles(paths)) == wanted
        assert annotation_files(AnnFiles(paths)) == list(map(Path, files))
        assert output_stem(AnnFiles(paths)) == 'data'
        assert [path.is_file() for path in photos_of(AnnFiles(paths))] == [True] * 9


def test_the_given_order_is_kept_and_a_file_named_twice_is_refused(tmp_path):
    data = write_batches(tmp_path)
    files = [data / f'batch_{n:02d}' / 'data.json' for n in (2, 1)]
    names = [image['file_name'] for image in read_coco(AnnFiles(files))['images']]
    assert [name[:8] for name in names] == ['batch_02'] * 3 + ['batch_01'] * 3
    with pytest.raises(UserError, match='batch_02/data.json: is named twice'):
        read_coco(AnnFiles([files[0], data]))


def test_files_that_name_one_folder_of_photos_keep_their_names(tmp_path):
    """As folds do: no name leads out of the folder, so every command takes it."""
    data = write_batches(tmp_path)
    full = read_coco(data)
    (tmp_path / 'folds').mkdir()
    for number in (0, 1):
        images = full['images'][number::2]
        annotations = [a for a in full['annotations'] if a['image_id'] % 2 == number]
        part = dict(info=dict(data_root='../data'), images=images, annotations=annotations)
        (tmp_path / 'folds' / f'{number}.json').write_text(json.dumps(full | part))
    for path in (f'{tmp_path}/folds/*.json', AnnFiles(sorted((tmp_path / 'folds').iterdir()))):
        joined = read_coco(path)
        names = [{image['file_name'] for image in one['images']} for one in (joined, full)]
        assert names[0] == names[1]
        assert photo_root(path, joined) == data
        assert len(joined['annotations']) == len(full['annotations'])


def test_an_experiments_paths_are_relative_to_its_data_root(tmp_path):
    data = write_batches(tmp_path)
    files = [f'batch_{n:02d}/data.json' for n in (1, 2)]
    assert existing_files(joined_path(files, data)) == [data / name for name in files]
    assert existing_files(joined_path('batch_01/data.json', data)) == [data / files[0]]
    assert len(existing_files(joined_path('*/data.json', data))) == 3
    assert existing_files(joined_path(['a.json'], data)) == []
    assert joined_path('', data) == ''
