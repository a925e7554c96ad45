"""Files as labeling tools and people write them: marks, frames, boxes, photos listed twice."""

import json
import os
import shutil
from collections import Counter

import numpy as np
import pytest
from conftest import call_tool, coco
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from mmseg_custom import cli
from mmseg_custom.classes import built_in
from mmseg_custom.coco import classes_of_files, coco_to_samples, read_coco, require_valid
from mmseg_custom.coco.photo_root import photo_root
from mmseg_custom.coco.segmentation_check import clip_segmentation
from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.utils import UserError

CHECK, FOLDS, REPEAT = (
    f'data_prep/{name}.py' for name in ('check', 'stratified_kfold', 'oversample')
)


def box(number, image, left=2, top=2, category=7, side=8):
    right, low = left + side, top + side
    polygon = [left, top, right, top, right, low, left, low]
    return dict(
        id=number,
        image_id=image,
        category_id=category,
        segmentation=[polygon],
        area=side * side,
        bbox=[left, top, side, side],
    )


def images(*names):
    return [dict(id=n, file_name=name, height=24, width=32) for n, name in enumerate(names)]


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    content = coco(images('a.jpg'), [box(0, 0)])
    (tmp_path / 'a.json').write_text(json.dumps(content), encoding='utf-8-sig')
    assert (tmp_path / 'a.json').read_bytes()[:3] == b'\xef\xbb\xbf'
    assert read_coco(tmp_path / 'a.json') == content


@pytest.mark.parametrize('keys', [('segmentation',), ()])
def test_boxes_without_masks_are_one_sentence(keys):
    entries = [box(n, 0) for n in range(3)]
    for entry in entries:
        entry['segmentation'] = []
        for key in keys:
            del entry[key]
    with pytest.raises(
        UserError, match='^a.json: has 3 boxes and no mask .*draw polygons'
    ) as found:
        require_valid('a.json', coco(images('a.jpg'), entries), built_in())
    assert '\n' not in str(found.value)


def test_other_categories_are_one_line_each_and_no_fix_drops_them(small_set, tmp_path, capsys):
    entries = [box(n, 0, category=7 + n // 2) for n in range(6)]
    path = small_set(coco(images('a.jpg'), entries, ['Plastc', 'Wood', 'Paper']))
    command = ['--classes', 'recycle_trash', '--fix', str(tmp_path / 'fixed')]
    module = __import__('runpy').run_path(CHECK)
    with pytest.raises(SystemExit) as end:
        cli.main(module['build_parser'], module['run'], [str(path), *command])
    written = capsys.readouterr()
    assert end.value.code == 2 and not (tmp_path / 'fixed').exists()
    assert "'Plastc' (2 annotations); is 'Plastic' meant?" in written.err
    assert "'Wood' (2 annotations) is none of the classes" in written.err
    assert '--classes' in written.err and '--class-map' in written.err
    # The photo has annotations, whatever their categories are.
    assert 'no-annotation' not in written.out
    assert written.out.count('unknown-category') == 2


def test_what_reaches_out_of_the_frame_is_clipped_pixel_by_pixel(small_set, tmp_path, capsys):
    entries = [box(0, 0, left=27), box(1, 0, left=-3, top=14), box(2, 0, left=28), box(3, 0)]
    slanted = [20.5, -4, 30.5, 5.5, 36.25, 2, 30, 20]
    entries.append(box(4, 0) | dict(segmentation=[slanted]))
    path = small_set(coco(images('a.jpg'), entries))
    done = call_tool(capsys, CHECK, path, '--fix', tmp_path / 'fixed', code=1)
    assert 'new segmentation' in done.out
    fixed = COCO(str(tmp_path / 'fixed' / 'ann.json'))
    assert set(fixed.anns) == {0, 1, 2, 3, 4}
    pad = 40
    for entry in entries:
        moved = [(np.array(p).reshape(-1, 2) + pad).ravel().tolist() for p in entry['segmentation']]
        drawn = mask_utils.decode(mask_utils.frPyObjects(moved, 24 + 2 * pad, 32 + 2 * pad))[..., 0]
        inside = drawn[pad:-pad, pad:-pad]
        np.testing.assert_array_equal(fixed.annToMask(fixed.anns[entry['id']]), inside)


@pytest.mark.parametrize(
    'polygon',
    [
        [40, 2, 50, 2, 50, 9],
        [30, 2, 60, 2, 60, 9, 30, 9],
        [1e9, 2, 3, 4, 5, 6],
        [1, 2, 3],
        7,
        ['x'] * 6,
    ],
)
def test_what_lies_mostly_outside_is_not_clipped(polygon):
    assert clip_segmentation([polygon], 24, 32) is None


def listed_twice():
    """Photo a under two ids: one object is in both entries, one in each alone."""
    entries = [box(0, 0), box(1, 0, 12), box(2, 1, 20), box(3, 2), box(4, 2, 20, 12)]
    return coco(images('a.jpg', 'b.jpg', './a.jpg'), entries)


def test_a_photo_under_two_ids_is_refused_and_joined_by_fix(small_set, tmp_path, capsys):
    content = listed_twice()
    path = small_set(content)
    message = r'ann.json: image 2 lists the photo of image 0 \(./a.jpg\) again'
    with pytest.raises(UserError, match=message):
        require_valid(path, content, built_in())
    for command in ((FOLDS, path, '--folds', 2), (REPEAT, path)):
        assert 'lists the photo' in call_tool(capsys, *command, '--out', tmp_path / 'o', code=2).err
    done = call_tool(capsys, CHECK, path, '--fix', tmp_path / 'fixed', code=1)
    assert 'listed-twice' in done.out
    fixed = COCO(str(tmp_path / 'fixed' / 'ann.json'))
    assert [image['file_name'] for image in fixed.imgs.values()] == ['a.jpg', 'b.jpg']
    assert sorted(entry['id'] for entry in fixed.imgToAnns[0]) == [0, 1, 4]
    require_valid('fixed', read_coco(tmp_path / 'fixed' / 'ann.json'), built_in())


def test_repeated_photos_are_one_unit_in_folds_and_in_oversampling(toy_set, tmp_path, capsys):
    train = toy_set / 'train.json'
    repeated = tmp_path / 'repeated.json'
    call_tool(capsys, REPEAT, train, '--threshold', 0.9, '--out', repeated)
    content = read_coco(repeated)
    names = Counter(image['file_name'] for image in content['images'])
    assert max(names.values()) > 1
    assert all(image['repeat_of'] in range(24) for image in content['images'][24:])
    done = call_tool(capsys, FOLDS, repeated, '--folds', 3, '--out', tmp_path / 'again')
    assert f'{sum(names.values()) - 24} entries repeat a photo' in done.out
    call_tool(capsys, FOLDS, train, '--folds', 3, '--out', tmp_path / 'plain')
    for fold in range(3):
        parts = [
            [image['file_name'] for image in read_coco(tmp_path / path)['images']]
            for path in (
                f'again/kfold_{fold}_train.json',
                f'again/kfold_{fold}_val.json',
                f'plain/kfold_{fold}_val.json',
            )
        ]
        assert not set(parts[0]) & set(parts[1])
        # The same folds as those of the file without repeats, each photo once.
        assert parts[1] == parts[2]
        assert Counter(parts[0]) == {n: c for n, c in names.items() if n not in parts[1]}
    # Repeating again starts from each photo once.
    call_tool(capsys, REPEAT, repeated, '--threshold', 0.9, '--out', tmp_path / 'twice.json')
    assert read_coco(tmp_path / 'twice.json')['images'] == content['images']


def test_fold_files_know_where_their_photos_are(toy_set, tmp_path, capsys, monkeypatch):
    """Also when written elsewhere, moved with the photos, and read from another folder."""
    shutil.copytree(toy_set, tmp_path / 'set')
    folds = tmp_path / 'set' / 'folds'
    call_tool(capsys, FOLDS, tmp_path / 'set' / 'train.json', '--folds', 2, '--out', folds)
    shutil.move(tmp_path / 'set', tmp_path / 'moved')
    monkeypatch.chdir(tmp_path)
    train, val = (f'moved/folds/kfold_0_{name}.json' for name in ('train', 'val'))
    out = tmp_path / 'out'
    call_tool(capsys, CHECK, train, val, '--hash-distance', 0)
    call_tool(capsys, 'tools/browse.py', val, '--out', out / 'browse.html')
    call_tool(capsys, 'data_prep/dataset_statistics.py', val, '--out', out / 'stats')
    paste = ('--json-path', train, '--aug-num', 2, '--workers', 1, '--out', 'moved/paste')
    call_tool(capsys, 'data_prep/copy_paste.py', *paste)
    call_tool(capsys, 'data_prep/coco_to_masks.py', val, '--out', out / 'masks')
    sheet = (val, out / 'masks', '--count', 2, '--out', out / 'sheet.png')
    call_tool(capsys, 'tools/contact_sheet.py', *sheet)
    call_tool(capsys, 'data_prep/resize.py', val, '--out', out / 'small', '--size', 20)
    assert all(photo.path.is_file() for photo in list_photos([val]))
    pasted = read_coco('moved/paste/kfold_0_train_pasted.json')
    root = photo_root('moved/paste/kfold_0_train_pasted.json', pasted)
    assert all((root / image['file_name']).is_file() for image in pasted['images'])
    # What the command line says comes first.
    assert photo_root(val, read_coco(val), 'elsewhere').name == 'elsewhere'


def test_a_training_finds_the_photos_of_a_fold_or_refuses_to_guess(toy_set, tmp_path, capsys):
    from mmseg_custom.datasets import TrashCocoDataset

    folds = tmp_path / 'folds'
    call_tool(capsys, FOLDS, toy_set / 'train.json', '--folds', 2, '--out', folds)
    ann = str(folds / 'kfold_0_train.json')
    for root in (str(toy_set), str(tmp_path), None):
        dataset = TrashCocoDataset(ann, data_root=root)
        path = dataset.get_data_info(0)['img_path']
        assert os.path.samefile(os.path.dirname(os.path.dirname(path)), toy_set)
    shutil.copytree(toy_set / 'batch_01', tmp_path / 'other' / 'batch_01')
    with pytest.raises(UserError, match='says that its photos are in .* but the data root is'):
        TrashCocoDataset(ann, data_root=str(tmp_path / 'other'))


def test_joined_annotations_are_painted_once(small_set):
    content = listed_twice()
    content['annotations'] = [box(0, 0), box(1, 1), box(2, 2)]
    require_valid('a.json', content, classes_of_files({'a.json': content}))
    assert len(coco_to_samples(content, built_in())) == 3
