import numpy as np
import pytest

from mmseg_custom.prediction.probabilities import (
    listed_names,
    path_of,
    read_probabilities,
    write_probabilities,
)
from mmseg_custom.utils import UserError


def some(seed=0, sharp=0.2):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(11, sharp), (20, 30)).transpose(2, 0, 1).astype(np.float32)


def test_come_back_nearly_as_they_were(tmp_path):
    path = path_of(tmp_path, 'batch/a')
    write_probabilities(path, some())
    found = read_probabilities(path)
    assert np.abs(found - some()).max() < 1e-3
    assert np.allclose(found.sum(0), 1, atol=1e-5)
    assert np.array_equal(found.argmax(0), some().astype(np.float16).argmax(0))
    (stored,) = np.load(path).values()
    assert stored.dtype == np.float16
    assert listed_names(tmp_path) == ['batch/a']


def test_the_same_probabilities_are_the_same_bytes(tmp_path):
    for name in 'ab':
        write_probabilities(path_of(tmp_path, name), some())
    assert path_of(tmp_path, 'a').read_bytes() == path_of(tmp_path, 'b').read_bytes()


@pytest.mark.parametrize('keep', [0, 10, 100, 1000, -1])
def test_a_file_that_was_cut_is_named(tmp_path, keep):
    path = path_of(tmp_path, 'a')
    write_probabilities(path, some())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r'a\.npz: is cut short'):
        read_probabilities(path)


def test_says_what_is_wrong(tmp_path):
    with pytest.raises(UserError, match='no such file'):
        read_probabilities(tmp_path / 'a.npz')
    with pytest.raises(UserError, match='has no probabilities'):
        listed_names(tmp_path)
    np.savez(tmp_path / 'a.npz', np.zeros((3, 3)))
    with pytest.raises(UserError, match=r'not \(C, H, W\)'):
        read_probabilities(tmp_path / 'a.npz')
    np.savez(tmp_path / 'a.npz', np.full((3, 3, 3), np.nan))
    with pytest.raises(UserError, match='are no probabilities'):
        read_probabilities(tmp_path / 'a.npz')
