import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmseg_custom.utils.likeliest import likeliest

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)
# Few different numbers, so that most pixels have equal ones.
VALUES = st.sampled_from([0.0, -0.0, 0.25, 1.0, -3.0, np.inf, -np.inf, np.nan])


@given(hnp.arrays(np.float32, SHAPES, elements=VALUES), st.booleans())
def test_labels_are_those_of_argmax(scores, side_by_side):
    if side_by_side:
        scores = np.moveaxis(np.ascontiguousarray(np.moveaxis(scores, 0, -1)), -1, 0)
    found = likeliest(scores)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, scores.argmax(axis=0))


def test_as_many_classes_as_a_mask_has_labels():
    scores = np.eye(256, dtype=np.float16)[:, None]
    np.testing.assert_array_equal(likeliest(scores)[0], np.arange(256))
    with pytest.raises(ValueError, match='257 classes'):
        likeliest(np.zeros((257, 1, 1)))
