import json

import pytest
from conftest import call_tool, tool

from mmseg_custom.coco import class_counts, find_problems

TOOL = 'data_prep/oversample.py'


def call(capsys, *arguments, code=0):
    return call_tool(capsys, TOOL, *arguments, code=code)


def read(path):
    return json.loads(path.read_text())


def test_images_of_named_classes_are_repeated(toy_set, tmp_path):
    out = tmp_path / 'new' / 'out.json'
    arguments = ['--out', out, '--classes', 'battery', 'Clothing', '--times', 3]
    done = tool(TOOL, toy_set / 'train.json', *arguments)
    before, after = read(toy_set / 'train.json'), read(out)
    assert list(find_problems(after)) == []
    held = (class_counts(before)[:, [9, 10]] > 0).any(axis=1).sum()
    assert held > 0
    assert len(after['images']) == 24 + 2 * held
    counts = [class_counts(c)[:, [9, 10]].sum() for c in (before, after)]
    assert counts[1] == 3 * counts[0]
    assert f'wrote {24 + 2 * held} images (24 before)' in done.stdout


def test_the_seed_decides_the_rounding(toy_set, tmp_path, capsys):
    for name, seed in (('a', 0), ('b', 0), ('c', 1)):
        out = ['--out', tmp_path / name, '--threshold', 0.9, '--seed', seed]
        call(capsys, toy_set / 'train.json', *out)
    first, second, third = ((tmp_path / name).read_bytes() for name in 'abc')
    assert first == second != third
    assert len(json.loads(first)['images']) > 24


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--classes', 'Wood'], "'Wood' is no class"),
        (['--threshold', '0'], 'threshold 0.0: give a fraction'),
        (['--times', '2'], '--times belongs to --classes'),
    ],
)
def test_mistakes_are_one_line(toy_set, tmp_path, capsys, arguments, message):
    done = call(capsys, toy_set / 'val.json', '--out', tmp_path / 'o.json', *arguments, code=2)
    assert message in done.err
    assert not list(tmp_path.iterdir())


def test_a_file_without_annotations_is_refused(tmp_path, capsys):
    (tmp_path / 'a.json').write_text('{"images": [{"id": 0')
    assert 'does not parse' in call(capsys, tmp_path / 'a.json', '--out', 'x', code=2).err
    image = dict(id=0, file_name='a.jpg', height=8, width=8)
    (tmp_path / 'a.json').write_text(json.dumps(dict(images=[image])))
    assert '"annotations"' in call(capsys, tmp_path / 'a.json', '--out', 'x', code=2).err
