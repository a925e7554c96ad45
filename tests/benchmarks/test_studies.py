"""What the studies of the labeling loop are made of."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import bootstrap

from benchmarks.next_photos import area_under
from benchmarks.planted_errors import KINDS, Objects, plant
from benchmarks.studies import continued, interval
from mmseg_custom.utils import UserError


@pytest.fixture
def photos():
    """Forty photos with two objects each, and ten without any."""
    places = np.zeros((48, 48), np.uint8)
    places[4:24, 4:24], places[28:44, 28:44] = 1, 2
    return [Objects(places, [1, 2])] * 40 + [Objects(np.zeros_like(places), [])] * 10


@pytest.mark.parametrize('kind', KINDS)
def test_one_object_of_each_chosen_photo_is_changed(kind, photos):
    changed, planted = plant(photos, kind, 0.1, 4, seed=3)
    assert planted.sum() == 4
    assert not planted[40:].any()
    for before, after, is_planted in zip(photos, changed, planted, strict=True):
        masks = before.mask(0), after.mask(0)
        assert np.array_equal(*masks) != is_planted
        if not is_planted:
            continue
        differs = masks[0] != masks[1]
        # The object that was changed is the one that loses pixels, or gains some beside it.
        own = masks[0] == (1 if differs[:26, :26].any() else 2)
        assert not (differs & (masks[0] > 0) & ~own).any()
        if kind == 'missing':
            assert np.array_equal(differs, own)
        elif kind == 'swapped':
            assert np.array_equal(differs, own)
            assert masks[1][own].min() == masks[1][own].max() > 0
        else:
            label = masks[0][own][0]
            assert (differs & (masks[1] != label)).sum() + (masks[1] == label).sum() > 0
            assert set(masks[1][differs]) <= {0, label}
    again, _ = plant(photos, kind, 0.1, 4, seed=3)
    assert all(np.array_equal(a.mask(0), b.mask(0)) for a, b in zip(changed, again, strict=True))


def test_the_area_is_that_of_scipy():
    curve = [30.0, 40, 45, 44]
    assert area_under(curve) == pytest.approx(trapezoid(curve, dx=1 / 3))


def test_the_interval_is_that_of_scipy():
    values = np.random.default_rng(1).normal(2, 1, 8)
    peer = bootstrap((values,), np.mean, method='percentile', rng=0, n_resamples=20000)
    assert interval(values) == pytest.approx(list(peer.confidence_interval), abs=0.05)


def test_runs_continue_and_other_settings_are_refused(tmp_path):
    path, made = tmp_path / 'a.json', []

    def measure(seed, name):
        made.append((seed, name))
        if len(made) == 3:
            raise KeyboardInterrupt
        return seed * 10

    runs = [(seed, name) for seed in (1, 2) for name in 'ab']
    with pytest.raises(KeyboardInterrupt):
        continued(path, dict(rounds=1), runs, measure)
    found = continued(path, dict(rounds=1), runs, measure)
    assert found == {(seed, name): seed * 10 for seed, name in runs}
    assert made == [(1, 'a'), (1, 'b'), (2, 'a'), (2, 'a'), (2, 'b')]
    with pytest.raises(UserError, match='has results of'):
        continued(path, dict(rounds=2), runs, measure)
