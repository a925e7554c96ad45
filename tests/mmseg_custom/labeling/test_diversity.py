from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from mmseg_custom.labeling.diversity import CANDIDATES, choose_photos, cluster_centers, k_center

# Distances of random numbers are never equal, so that only one order is right.
random_sets = st.tuples(
    st.integers(0, 999), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3)
)


def points_of(seed, number, known):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(number, 3)), rng.normal(size=(known, 3))


@settings(max_examples=60)
@given(random_sets)
def test_each_choice_is_the_farthest_of_a_complete_table(drawn):
    seed, number, wanted, known_number = drawn
    points, known = points_of(seed, number, known_number)
    chosen = k_center(points, wanted, known)
    assert len(chosen) == len(set(chosen)) == min(wanted, number)
    centers = list(known) or [points[0]]
    for place in chosen if known_number else chosen[1:]:
        nearest = cdist(points, centers).min(axis=1)
        assert place == nearest.argmax()
        centers.append(points[place])


@settings(max_examples=30)
@given(st.integers(0, 999), st.integers(1, 3))
def test_the_radius_is_at_most_twice_the_smallest(seed, wanted):
    points, _ = points_of(seed, 7, 0)
    table = cdist(points, points)
    radius = table[:, k_center(points, wanted)].min(axis=1).max()
    smallest = min(
        table[:, list(some)].min(axis=1).max() for some in combinations(range(7), wanted)
    )
    assert radius <= 2 * smallest + 1e-9


def test_equal_points_are_all_chosen_once():
    assert sorted(k_center(np.ones((4, 2)), 9)) == [0, 1, 2, 3]
    assert k_center(np.empty((0, 2)), 3) == []


def test_of_near_duplicates_the_best_is_chosen_and_none_of_what_is_labeled():
    scores, groups = np.array([0.1, 0.9, 0.8, 0.7, 0.6]), [0, 1, 1, 2, 3]
    assert choose_photos(scores, 9, groups) == [1, 3, 4, 0]
    assert choose_photos(scores, 2, groups, known_groups=[1]) == [3, 4]


@pytest.mark.parametrize('number', [1, 2])
def test_only_candidates_of_high_score_compete(number):
    scores = np.linspace(1, 0, 12)
    # The worst photo is the farthest of all.
    features = np.arange(12.0)[:, None] ** 2
    known = np.zeros((1, 1))
    chosen = choose_photos(scores, number, range(12), 'core-set', features, known)
    assert chosen[0] == CANDIDATES * number - 1
    assert len(chosen) == number


def test_clusters_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    # Clear groups, so that there is one best clustering.
    centers = rng.normal(size=(6, 4)) * 30
    group_of = rng.integers(0, 6, 90)
    points = centers[group_of] + rng.normal(size=(90, 4))
    weights = rng.uniform(0.1, 3, 90)
    chosen = cluster_centers(points, 6, weights)
    peer = KMeans(6, n_init=5, random_state=0).fit(points, sample_weight=weights)
    nearest = cdist(points, peer.cluster_centers_).argmin(axis=0)
    assert set(chosen) == set(nearest.tolist())
    sums = [weights[group_of == group_of[place]].sum() for place in chosen]
    assert sums == sorted(sums, reverse=True)


@settings(max_examples=40)
@given(st.integers(0, 999), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_clusters_give_as_many_photos_as_there_are(seed, number, wanted, same):
    points, _ = points_of(seed, number, 0)
    points = np.ones_like(points) if same else points
    chosen = cluster_centers(points, wanted, np.zeros(number) if same else None)
    assert len(set(chosen)) == len(chosen) == min(number, wanted)
    assert chosen == cluster_centers(points, wanted, np.zeros(number) if same else None)


def test_what_weighs_nothing_moves_no_center():
    points = np.array([[0.0], [1], [2], [50], [51], [99]])
    weights = np.array([1.0, 1, 1, 1, 1, 0])
    assert sorted(cluster_centers(points, 2, weights)) == [1, 3]
