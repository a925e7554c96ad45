import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from mmseg_custom.postprocess import keep_components


def probabilities(rng, classes=3, side=12):
    values = rng.dirichlet(np.full(classes, 0.5), (side, side))
    return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)


@given(st.integers(0, 10**6), st.floats(0.3, 0.9), st.sampled_from([0, 1, 2, None]))
def test_equals_a_plain_loop_over_components(seed, confidence, background):
    rng = np.random.default_rng(seed)
    before, after = probabilities(rng), probabilities(rng)
    after[0] += 1.0 * (rng.uniform(size=after[0].shape) < 0.8)
    expected, count = after.copy(), 0
    for label in {0, 1, 2} - {background}:
        numbers, found = ndimage.label(before.argmax(0) == label, np.ones((3, 3)))
        for number in range(1, found + 1):
            inside = numbers == number
            erased = not (after.argmax(0)[inside] == label).any()
            if erased and before[label][inside].astype(float).mean() >= confidence:
                expected[:, inside] = before[:, inside]
                count += 1
    assert keep_components(before, after, confidence, background) == count
    assert np.array_equal(after, expected)
