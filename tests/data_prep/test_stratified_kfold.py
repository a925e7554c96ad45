import json
import shutil

import pytest
from conftest import call_tool, tool
from PIL import Image
from sklearn.model_selection import KFold

from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems

TOOL = 'data_prep/stratified_kfold.py'


def call(capsys, *arguments, code=0):
    return call_tool(capsys, TOOL, *arguments, code=code)


def read(path):
    return json.loads(path.read_text())


def test_real_photos_are_split(real_sample, tmp_path, capsys):
    done = call(capsys, real_sample / 'train_all.json', '--out', tmp_path / 'folds')
    whole = read(real_sample / 'train_all.json')
    vals = [read(tmp_path / 'folds' / f'kfold_{fold}_val.json') for fold in range(5)]
    ids = [image['id'] for val in vals for image in val['images']]
    assert sorted(ids) == [image['id'] for image in whole['images']]
    assert all(list(find_problems(val, built_in())) == [] for val in vals)
    ours, plain = (float(text.split(' points')[0].split()[-1]) for text in _halves(done.out))
    assert ours < plain
    assert Image.open(tmp_path / 'folds' / 'folds.png').width > 1000


def _halves(text: str) -> list[str]:
    line = next(line for line in text.splitlines() if 'class fraction, annotations' in line)
    before, _, after = line.partition(' (')
    return [before, after.split(': ')[1].rstrip(')') + ' points']


def test_copies_stay_in_one_fold_and_the_seed_decides(toy_set, tmp_path):
    whole = read(toy_set / 'val.json')
    for image in whole['images']:
        target = tmp_path / image['file_name']
        target.parent.mkdir(exist_ok=True)
        shutil.copy(toy_set / image['file_name'], target)
    copies = []
    for image in whole['images']:
        copies.append(image | dict(id=100 + image['id'], file_name=f'copy_{image["id"]}.jpg'))
        shutil.copy(toy_set / image['file_name'], tmp_path / copies[-1]['file_name'])
    (tmp_path / 'ann.json').write_text(json.dumps(whole | dict(images=whole['images'] + copies)))
    out = tmp_path / 'folds'
    arguments = ['--folds', 3, '--seed', 4, '--out', out, '--group-duplicates']
    done = tool(TOOL, tmp_path / 'ann.json', *arguments, '--hash-distance', 0)
    assert '14 photos in 7 groups' in done.stdout
    assert len(list(out.iterdir())) == 7
    for fold in range(3):
        ids = {image['id'] for image in read(out / f'kfold_{fold}_val.json')['images']}
        assert {i % 100 for i in ids if i < 100} == {i % 100 for i in ids if i >= 100}
        assert ids


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--folds', 9], r'val.json: 9 folds of 7 images'),
        (['--folds', 1], r'val.json: 1 fold leaves nothing'),
        (['--group-duplicates', '--data-root', '.'], 'no such photo'),
        (['--group-duplicates', '--plain'], 'leave out --group-duplicates'),
    ],
)
def test_mistakes_are_one_line(toy_set, tmp_path, capsys, arguments, message):
    done = call(capsys, toy_set / 'val.json', '--out', tmp_path / 'out', *arguments, code=2)
    assert message in done.err
    assert not (tmp_path / 'out').exists()


def test_bad_json_is_one_line(tmp_path):
    (tmp_path / 'a.json').write_text('{"images": [')
    done = tool(TOOL, tmp_path / 'a.json', '--out', tmp_path, code=2)
    assert 'a.json: does not parse' in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_plain_folds_are_scikit_learns(toy_set, tmp_path, capsys):
    arguments = ['--folds', 3, '--seed', 4, '--plain', '--out', tmp_path]
    call(capsys, toy_set / 'val.json', *arguments)
    ids = [image['id'] for image in read(toy_set / 'val.json')['images']]
    splits = KFold(3, shuffle=True, random_state=4).split(ids)
    for fold, (_, val) in enumerate(splits):
        found = [image['id'] for image in read(tmp_path / f'kfold_{fold}_val.json')['images']]
        assert found == [ids[place] for place in val]
