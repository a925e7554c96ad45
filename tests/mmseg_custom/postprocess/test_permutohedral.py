import numpy as np
import pytest
from scipy.spatial.distance import cdist

pytestmark = pytest.mark.slow  # compiles the CRF

pytest.importorskip('numba')


def lattice_of(features):
    from mmseg_custom.postprocess.permutohedral import PermutohedralLattice

    return PermutohedralLattice(np.ascontiguousarray(features, dtype=np.float32))


@pytest.mark.parametrize('dimensions', [2, 5])
def test_blurs_nearly_as_a_gaussian_does(dimensions):
    rng = np.random.default_rng(dimensions)
    features = rng.uniform(0, 3, (800, dimensions))
    values = rng.uniform(0, 1, (800, 3)).astype(np.float32)
    kernel = np.exp(-0.5 * cdist(features, features) ** 2)
    norm = 1 / np.sqrt(kernel.sum(1))
    exact = norm[:, None] * (kernel @ (norm[:, None] * values))
    found = lattice_of(features).filter(values)
    # The lattice is an approximation, by the paper's own account of some percent.
    assert np.abs(found - exact).mean() < 0.05 * exact.mean()
    assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.9


def test_is_linear_and_symmetric():
    rng = np.random.default_rng(0)
    lattice = lattice_of(rng.uniform(0, 4, (300, 2)))
    a, b = rng.normal(size=(2, 300, 2)).astype(np.float32)
    assert np.allclose(
        lattice.filter(2 * a + b), 2 * lattice.filter(a) + lattice.filter(b), atol=1e-4
    )
    assert np.isclose((lattice.filter(a) * b).sum(), (a * lattice.filter(b)).sum(), rtol=0.2)
    between = rng.uniform(0, 1, (300, 1)).astype(np.float32)
    assert lattice.filter(between).max() <= lattice.strength


def test_grows_when_there_are_many_cells(monkeypatch):
    from mmseg_custom.postprocess import permutohedral

    features = np.random.default_rng(0).uniform(0, 40, (500, 3))
    values = np.random.default_rng(1).uniform(0, 1, (500, 2)).astype(np.float32)
    expected = lattice_of(features).filter(values)
    monkeypatch.setattr(permutohedral, 'SLOTS', 4)
    assert np.array_equal(lattice_of(features).filter(values), expected)
