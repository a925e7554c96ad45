import json
import shutil

import pytest
from batches import NAMES, write_batches
from conftest import coco
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import classes_of_files, read_coco, require_valid
from mmseg_custom.coco.convert.published import OBJECTS, PHOTOS, published_differences
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.utils import UserError


@pytest.mark.parametrize('with_folder', [False, True])
@pytest.mark.parametrize('argument', ['', '/*/data.json', '/batch_0[1-3]/data.json'])
def test_batches_are_read_as_one_set(tmp_path, argument, with_folder, capsys):
    data = write_batches(tmp_path, with_folder=with_folder)
    path = f'{data}{argument}'
    content = read_coco(path)
    classes = classes_of_files({path: content})
    assert classes is built_in('recycle_trash_2021')
    samples = labelled_samples(path, classes, content=content)
    wanted = [f'batch_{b:02d}/{n:04d}.jpg' for b in (1, 2, 3) for n in range(3)]
    assert [sample['file_name'] for sample in samples] == wanted
    assert [sample['img_path'] for sample in samples] == [str(data / name) for name in wanted]
    # Each photo has the annotations that pycocotools finds in its own file.
    (tmp_path / 'joined.json').write_text(json.dumps(content))
    joined = COCO(str(tmp_path / 'joined.json'))
    for batch in (1, 2, 3):
        one = COCO(str(data / f'batch_{batch:02d}' / 'data.json'))
        for number in range(3):
            name = f'batch_{batch:02d}/{number:04d}.jpg'
            (image_id,) = (key for key, image in joined.imgs.items() if image['file_name'] == name)
            pairs = ((one, number), (joined, image_id))
            found, expected = (
                [(api.cats[a['category_id']]['name'], a['segmentation']) for a in api.imgToAnns[i]]
                for api, i in reversed(pairs)
            )
            assert found == expected
    assert len({entry['id'] for entry in content['annotations']}) == 36


def test_unknown_is_a_class_ignored_or_background(tmp_path, capsys):
    data = write_batches(tmp_path)
    content = read_coco(data)
    for target, label in (('ignore', 255), ('Background', 0), ('General trash', 1)):
        (tmp_path / 'map.yaml').write_text(f'UNKNOWN: {target}\n')
        classes = classes_of_files({'data': content}, class_map=tmp_path / 'map.yaml')
        assert classes.is_same_as(built_in()) and classes.label_of('UNKNOWN') == label
        require_valid('data', content, classes)


def test_files_of_other_categories_are_joined_by_name(tmp_path):
    for folder, names in (('a', ['Paper', 'Glass']), ('b', ['Wood', 'paper'])):
        (tmp_path / folder).mkdir()
        image = dict(id=5, file_name='1.jpg', height=9, width=9)
        entries = [dict(id=0, image_id=5, category_id=7 + n, segmentation=[]) for n in (0, 1)]
        text = json.dumps(coco([image], [entries[0], entries[1] | dict(id=1)], names))
        (tmp_path / folder / 'ann.json').write_text(text)
    content = read_coco(tmp_path)
    names = {entry['id']: entry['name'] for entry in content['categories']}
    assert list(names.values()) == ['Paper', 'Glass', 'Wood']
    found = [names[entry['category_id']] for entry in content['annotations']]
    assert found == ['Paper', 'Glass', 'Wood', 'Paper']
    assert [image['file_name'] for image in content['images']] == ['a/1.jpg', 'b/1.jpg']


def test_what_cannot_be_joined_is_named(tmp_path):
    with pytest.raises(UserError, match='neither the folder nor its sub-folders'):
        read_coco(tmp_path)
    with pytest.raises(UserError, match='no file fits'):
        read_coco(f'{tmp_path}/*/data.json')
    data = write_batches(tmp_path)
    (data / 'batch_02' / 'data.json').write_text('{"images": []')
    with pytest.raises(UserError, match='batch_02/data.json: does not parse'):
        read_coco(data)
    content = json.loads((data / 'batch_01' / 'data.json').read_text())
    content['annotations'][0]['image_id'] = 77
    (data / 'batch_02' / 'data.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match='batch_02/data.json: annotation 0 has the image_id 77'):
        read_coco(data)
    shutil.copy(data / 'batch_01' / 'data.json', data / 'batch_01' / 'other.json')
    with pytest.raises(UserError, match='are in one folder'):
        read_coco(data)


def test_differences_from_the_published_counts_are_reported(tmp_path):
    assert (PHOTOS, sum(OBJECTS.values()), tuple(OBJECTS)) == (21818, 107935, NAMES)
    content = read_coco(write_batches(tmp_path))
    assert 'batches 3 of 44, photos 9 of 21,818, UNKNOWN 6 of 758' in published_differences(
        [content]
    )
    assert 'photos 18 of 21,818' in published_differences([content, content])
    other = content | dict(images=[dict(content['images'][0], file_name='a.jpg')])
    assert published_differences([other]) is None
    complete = content | dict(
        images=[dict(file_name=f'data/batch_{n % 44:02d}/{n}.jpg') for n in range(PHOTOS)],
        annotations=[
            dict(category_id=key) for key, n in enumerate(OBJECTS.values()) for _ in range(n)
        ],
    )
    assert published_differences([complete]) is None
