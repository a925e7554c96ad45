"""Annotations that share an id: each is read, or the file is refused; none is lost silently.

pycocotools keeps only the last annotation of an id.
"""

import json
from collections import Counter

import pytest
from conftest import ROOT, call_tool
from pycocotools.coco import COCO

from mmseg_custom.coco import read_coco
from mmseg_custom.coco.ann_files import AnnFiles

TACO = ROOT.parent / 'shared' / 'data' / 'taco' / 'annotations.json'
COMMANDS = {
    'statistics': ['data_prep/dataset_statistics.py', 'ANN', '--out', 'OUT'],
    'kfold': ['data_prep/stratified_kfold.py', 'ANN', '--folds', 2, '--out', 'OUT'],
    'oversample': ['data_prep/oversample.py', 'ANN', '--threshold', 0.5, '--out', 'OUT/a.json'],
    'copy_paste': [
        *('data_prep/copy_paste.py', '--json-path', 'ANN', '--mode', 'new', '--aug-num', 1),
        *('--workers', 1, '--out', 'OUT'),
    ],
    'coco_to_masks': ['data_prep/coco_to_masks.py', 'ANN', '--out', 'OUT'],
    'resize': ['data_prep/resize.py', 'ANN', '--size', 32, '--workers', 1, '--out', 'OUT'],
    'browse': ['tools/browse.py', 'ANN', '--out', 'OUT/a.html'],
}


@pytest.fixture
def repeated(toy_set, tmp_path):
    """The toy validation set, in which two annotations have the id of another one."""
    content = json.loads((toy_set / 'val.json').read_text())
    first, second, third = content['annotations'][:3]
    second['id'] = third['id'] = first['id']
    content['info']['data_root'] = str(toy_set)
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(content))
    return path, first['id']


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_refuses_them_and_takes_the_fixed_file(command, repeated, tmp_path, capsys):
    path, number = repeated
    lost = len(json.loads(path.read_text())['annotations']) - len(COCO(str(path)).anns)
    assert lost == 2

    def call(ann, code):
        words = {'ANN': ann, 'OUT/a': tmp_path / 'out' / 'a', 'OUT': tmp_path / 'out'}
        line = []
        for word in COMMANDS[command]:
            for short, long in words.items():
                word = word.replace(short, str(long)) if isinstance(word, str) else word
            line.append(word)
        return call_tool(capsys, *line, code=code)

    error = call(path, 2).err
    assert f'{path}: annotation id {number} occurs twice' in error
    assert 'data_prep/check.py ANN --fix OUT_DIR' in error
    assert not (tmp_path / 'out').exists()
    checked = call_tool(capsys, 'data_prep/check.py', path, '--fix', tmp_path / 'fixed', code=1)
    assert '2 x new id' in checked.out
    fixed = tmp_path / 'fixed' / 'ann.json'
    assert len(COCO(str(fixed)).anns) == len(json.loads(path.read_text())['annotations'])
    call(fixed, 0)


def test_joined_files_are_numbered_again(repeated, toy_set):
    path, _ = repeated
    parts = [json.loads(file.read_text())['annotations'] for file in (path, toy_set / 'train.json')]
    joined = read_coco(AnnFiles([path, toy_set / 'train.json']))['annotations']
    assert [entry['segmentation'] for entry in joined] == [
        entry['segmentation'] for part in parts for entry in part
    ]
    assert len({entry['id'] for entry in joined}) == len(joined)


@pytest.mark.skipif(not TACO.is_file(), reason=f'TACO is not at {TACO}')
def test_real_taco_has_two_such_ids(tmp_path, capsys):
    entries = json.loads(TACO.read_text())['annotations']
    twice = sorted(number for number, n in Counter(e['id'] for e in entries).items() if n > 1)
    out = ['--no-photos', '--out', tmp_path]
    error = call_tool(
        capsys, 'data_prep/dataset_statistics.py', TACO, '--classes', 'taco', *out, code=2
    ).err
    assert all(f'annotation id {number} occurs twice' in error for number in twice)
    assert len(twice) == 2
