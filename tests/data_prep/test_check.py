import json
import os
import shutil

import cv2
import numpy as np
import pytest
from conftest import ROOT, call_tool, coco, tool

from mmseg_custom.classes import built_in
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.read import coco_to_samples, read_coco

TOOL = 'data_prep/check.py'
TACO = ROOT.parent / 'shared' / 'data' / 'taco' / 'annotations.json'


def call(capsys, *arguments, code=0):
    return call_tool(capsys, TOOL, *arguments, code=code)


def kinds(out):
    """Kind, severity and number of each row of the table."""
    rows = [line.split('|')[1:4] for line in out.splitlines() if line.startswith('|')]
    return [tuple(cell.strip() for cell in row) for row in rows[1:]]


def masks(path, root):
    return {
        s['file_name']: sample_mask(s, root, built_in())
        for s in coco_to_samples(read_coco(path), built_in())
    }


def test_the_toy_set_is_clean(toy_set, capsys):
    done = call(capsys, *(toy_set / f'{name}.json' for name in ('train', 'val', 'test')))
    assert {severity for _, severity, _ in kinds(done.out)} == {'note'}
    assert 'unused-file' not in done.out
    assert 'unused-file' in call(capsys, toy_set / 'train.json').out


def test_folds_and_repeats_are_clean(toy_set, tmp_path, capsys):
    folds = ['--folds', 3, '--out', tmp_path]
    call_tool(capsys, 'data_prep/stratified_kfold.py', toy_set / 'train_all.json', *folds)
    for fold in range(3):
        train, val = (tmp_path / f'kfold_{fold}_{split}.json' for split in ('train', 'val'))
        call(capsys, train, val, '--data-root', toy_set)
    repeats = ['--out', tmp_path / 'more.json', '--threshold', 0.9]
    call_tool(capsys, 'data_prep/oversample.py', tmp_path / 'kfold_0_train.json', *repeats)
    val = tmp_path / 'kfold_0_val.json'
    call(capsys, tmp_path / 'more.json', val, '--data-root', toy_set)
    both = [tmp_path / 'kfold_0_train.json', tmp_path / 'kfold_1_train.json']
    done = call(capsys, *both, '--data-root', toy_set, code=1)
    assert 'leaked-name' in done.out


def test_masks_made_annotations_are_clean(toy_set, tmp_path, capsys):
    call_tool(capsys, 'data_prep/coco_to_masks.py', toy_set / 'val.json', '--out', tmp_path / 'm')
    for options in ([], ['--whole']):
        out = tmp_path / f'{len(options)}.json'
        arguments = [tmp_path / 'm', '--data-root', toy_set, '--out', out, *options]
        call_tool(capsys, 'data_prep/masks_to_coco.py', *arguments)
        call(capsys, out, '--data-root', toy_set)


def test_paste_sets_are_clean_and_their_leaks_are_found(toy_set, tmp_path, capsys):
    for name, code in (('train', 0), ('train_all', 1)):
        options = ['--mode', 'new', '--aug-num', 12, '--lsj', '--workers', 1]
        source = ['--json-path', toy_set / f'{name}.json', '--out', tmp_path / name]
        call_tool(capsys, 'data_prep/copy_paste.py', *source, *options)
        made = tmp_path / name / f'{name}_pasted.json'
        done = call(capsys, made, toy_set / 'val.json', code=code)
        assert ('leaked-paste' in done.out) == bool(code)


@pytest.mark.skipif(not TACO.is_file(), reason=f'TACO is not at {TACO}')
def test_converted_taco_has_nothing_worse_than_specks(tmp_path, capsys):
    convert = ['--annotations-only', '--out', tmp_path]
    call_tool(capsys, 'data_prep/taco_to_trash.py', TACO, *convert)
    done = call(capsys, tmp_path / 'train_all.json', '--no-photos')
    assert [row[:2] for row in kinds(done.out)] == [('speck', 'note')]


def test_real_photos_are_clean(real_sample, capsys):
    done = call(capsys, real_sample / 'train_all.json')
    assert kinds(done.out) == [('absent-class', 'note', '1')]
    assert 'Battery' in done.out


@pytest.fixture
def faulty(toy_set, tmp_path):
    """Training and validation with a fault of each sort that needs photos, and some that do not."""
    root = tmp_path / 'set'
    for name in ('train', 'val'):
        content = json.loads((toy_set / f'{name}.json').read_text())
        for image in content['images']:
            (root / image['file_name']).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(toy_set / image['file_name'], root / image['file_name'])
        if name == 'train':
            spoil(content, root, toy_set)
        (root / f'{name}.json').write_text(json.dumps(content))
    return root


def spoil(content, root, toy_set):
    images, annotations = content['images'], content['annotations']
    (root / images[1]['file_name']).unlink()
    (root / images[2]['file_name']).write_bytes(b'\xff\xd8 no photo')
    cv2.imwrite(str(root / images[3]['file_name']), np.zeros((20, 20, 3), np.uint8))
    copied = json.loads((toy_set / 'val.json').read_text())['images'][0]['file_name']
    shutil.copy(toy_set / copied, root / images[4]['file_name'])
    held = {number: [a for a in annotations if a['image_id'] == number] for number in range(24)}
    full = [number for number in range(5, 24) if held[number]]
    held[full[0]][0]['segmentation'] = []
    held[full[1]][0]['area'] *= 9
    held[full[2]][0]['bbox'] = [0, 0, 1, 1]


def test_a_faulty_set_is_fixed(faulty, tmp_path, capsys):
    paths, clean = [faulty / 'train.json', faulty / 'val.json'], tmp_path / 'clean'
    before = [path.read_bytes() for path in paths]
    done = call(capsys, *paths, '--fix', clean, '--json', tmp_path / 'found.json', code=1)
    found = [row for row in kinds(done.out) if row[1] != 'note' and row[0] != 'hidden']
    assert found == [
        ('bad-annotation', 'error', '1'),
        ('missing-photo', 'error', '1'),
        ('bad-photo', 'error', '2'),
        ('leaked-copy', 'error', '1'),
        ('wrong-area', 'warning', '1'),
        ('wrong-bbox', 'warning', '1'),
    ]
    listed = json.loads((tmp_path / 'found.json').read_text())
    assert sum(entry['severity'] == 'error' for entry in listed) == 5
    assert all(entry['remedy'] and entry['file'] and entry['message'] for entry in listed)
    assert [path.read_bytes() for path in paths] == before
    assert f'CONFIG --data-root {faulty}' in done.out
    # The files say where their photos are, without --data-root.
    again = [clean / 'train.json', clean / 'val.json']
    assert {severity for _, severity, _ in kinds(call(capsys, *again).out)} == {'note'}
    original = json.loads(before[1])
    info = original['info'] | dict(data_root=os.path.relpath(faulty, clean))
    assert json.loads((clean / 'val.json').read_text()) == original | dict(info=info)


def test_untouched_images_look_the_same(faulty, toy_set, tmp_path, capsys):
    clean = tmp_path / 'clean'
    call(capsys, faulty / 'train.json', faulty / 'val.json', '--fix', clean, code=1)
    changes = json.loads((clean / 'dropped.json').read_text())
    touched = {change['image'] for change in changes}
    before, after = masks(toy_set / 'train.json', toy_set), masks(clean / 'train.json', faulty)
    assert 0 < len(before) - len(after) == sum(c['change'] == 'dropped image' for c in changes)
    assert len(after.keys() - touched) > 10
    for name in after.keys() - touched:
        np.testing.assert_array_equal(before[name], after[name])


def test_notes_are_shortened_unless_all_are_wanted(small_set, tmp_path, capsys):
    images = [dict(id=i, file_name=f'{i}.jpg', height=16, width=16) for i in range(9)]
    path = small_set(coco(images, []))
    short, whole = (call(capsys, path, *options).out for options in ([], ['--all']))
    assert short.count('has no annotation') == 3 and 'and 6 more (--all' in short
    assert whole.count('has no annotation') == 9 and 'more (' not in whole


def test_a_set_of_one_file_without_any_finding_says_so(small_set, capsys):
    path = small_set(dict(images=[dict(id=0, file_name='a.jpg', height=16, width=16)]))
    assert call(capsys, path).out == 'nothing was found\n'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['NO'], 'no.json: no such annotation file'),
        (['BROKEN'], 'broken.json: does not parse as JSON'),
        (['ANN', 'ANN'], 'named twice'),
        (['ANN', '--data-root', 'EMPTY'], 'not one of its 7 photos'),
        (['ANN', '--fix', 'HERE'], 'would be overwritten'),
    ],
)
def test_mistakes_are_one_line(toy_set, tmp_path, capsys, arguments, message):
    (tmp_path / 'broken.json').write_text('{"images": [')
    (tmp_path / 'empty').mkdir()
    names = dict(ANN=toy_set / 'val.json', HERE=toy_set, EMPTY=tmp_path / 'empty')
    names |= dict(NO=tmp_path / 'no.json', BROKEN=tmp_path / 'broken.json')
    done = call(capsys, *(names.get(a, a) for a in arguments), code=2)
    assert message in done.err


def test_wrong_options_are_refused(toy_set):
    for options in (['--max-overlap', '0'], ['--max-share', '1.5'], ['--max-share', 'x']):
        done = tool(TOOL, toy_set / 'val.json', *options, code=2)
        assert f'{options[1]!r} is not a number above 0 and up to 1' in done.stderr
