import json
import os
import stat

import numpy as np
import pytest

from mmseg_custom.utils import atomic_path, write_json


def test_the_file_appears_whole_with_usual_permissions(tmp_path):
    path = tmp_path / 'new' / 'a.json'
    write_json(path, {'a': [1]})
    assert json.loads(path.read_text()) == {'a': [1]}
    plain = tmp_path / 'plain'
    plain.write_text('')
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text('half')
        raise RuntimeError
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['a.txt']


@pytest.mark.parametrize('other', [None, 'a/other.txt', 'a/b/other.txt'])
def test_a_failure_leaves_no_empty_folder(tmp_path, other):
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / 'a' / 'b' / 'c.txt'):
        if other:
            (tmp_path / other).write_text('')
        raise KeyboardInterrupt
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*'))
    assert left == {None: [], 'a/other.txt': ['a', 'a/other.txt']}.get(
        other, ['a', 'a/b', 'a/b/other.txt']
    )


def test_the_temporary_name_keeps_the_suffix(tmp_path):
    with atomic_path(tmp_path / 'a.png') as temporary:
        assert temporary.suffix == '.png'
        assert temporary.parent == tmp_path


def test_numbers_of_numpy_are_numbers(tmp_path):
    content = dict(a=np.float32(0.5), b=[np.int64(3), np.float32('nan')], c=(np.bool_(True), 1))
    write_json(tmp_path / 'a.json', content)
    expected = dict(a=0.5, b=[3, None], c=[True, 1])
    assert json.loads((tmp_path / 'a.json').read_text()) == expected


def test_nan_and_infinity_become_null_since_json_has_none(tmp_path):
    write_json(tmp_path / 'a.json', {'a': [1.5, float('nan')], 'b': {'c': float('-inf')}})

    def refuse(name):
        raise AssertionError(name)

    content = json.loads((tmp_path / 'a.json').read_text(), parse_constant=refuse)
    assert content == {'a': [1.5, None], 'b': {'c': None}}
