import pytest
from run_folders import write_run, write_validation

from mmseg_custom.runs.run_comparison import (
    best_places,
    compare_runs,
    config_differences,
    run_names,
)


def test_only_what_differs_is_told():
    first = dict(
        work_dir='a', same=[1, 2], lr=0.1, model=dict(type='A', depth=2, heads=[dict(n=1)]), old={}
    )
    second = dict(
        work_dir='b',
        same=[1, 2],
        lr=0.2,
        model=dict(type='A', heads=[dict(n=1), dict(n=2)]),
        old=[],
    )
    assert config_differences([first, second]) == [
        ('lr', ['0.1', '0.2']),
        ('model.depth', ['2', None]),
        ('model.heads.1.n', [None, '2']),
        ('old', ['{}', '[]']),
    ]
    assert config_differences([first, first]) == []


@pytest.mark.parametrize(
    ('values', 'largest', 'smallest'),
    [
        ([1, 3, 2], [1], [0]),
        ([None, 3, 2], [1], [2]),
        ([3, 3, 2], [0, 1], [2]),
        ([3, 3], [], []),
        ([3, None], [], []),
        ([None, None], [], []),
    ],
)
def test_the_best(values, largest, smallest):
    assert best_places(values, largest=True) == largest
    assert best_places(values, largest=False) == smallest


def test_names_tell_the_runs_apart():
    assert run_names(['x/a', 'y/b/']) == ['a', 'b']
    assert run_names(['x/a', 'y/a']) == ['x/a', 'y/a']


def test_runs_side_by_side(tmp_path):
    folders = [tmp_path / 'a', tmp_path / 'b']
    for folder, seed in zip(folders, (0, 1), strict=True):
        write_run(folder, tmp_path, {'randomness.seed': seed})
    write_validation(folders[0], [[1, 0], [0, 1]], ['Background', 'Paper'], mIoU=25.0)
    found = compare_runs(folders)
    rows = {row['name']: row for row in found['rows']}
    assert rows['mIoU']['values'] == [25.0, None]
    assert rows['iterations']['values'] == [30, 30]
    assert 'mF1' not in rows
    assert [row['values'] for row in found['class_rows']] == [[None, None], [50.0, None]]
    assert found['train']['loss'] == dict.fromkeys('ab', {10: 3.0, 20: 2.0, 30: 1.0})
    assert found['configs'] == [('randomness.seed', ['0', '1'])]
