import numpy as np
from hostile_inputs import ODD_NUMBERS, fuzz
from hypothesis import example, given
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from mmseg_custom.coco.segmentation import segmentation_rle
from mmseg_custom.coco.segmentation_check import segmentation_problem

HEIGHT, WIDTH = 6, 5
numbers = st.one_of(st.sampled_from(ODD_NUMBERS), st.integers(-5, 40), st.floats(-9, 40))
polygons = st.lists(st.lists(numbers, max_size=12), max_size=3)
counts = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=127), max_size=30),
    st.text(max_size=8),
    st.lists(numbers, max_size=12),
    st.none(),
)
sizes = st.one_of(st.just([HEIGHT, WIDTH]), st.lists(numbers, max_size=3))
rles = st.fixed_dictionaries(dict(size=sizes, counts=counts))


def judged(segmentation):
    problem = segmentation_problem(segmentation, HEIGHT, WIDTH)
    if problem is not None:
        assert isinstance(problem, str)
        return
    mask = mask_utils.decode(segmentation_rle(segmentation, HEIGHT, WIDTH))
    assert mask.shape == (HEIGHT, WIDTH) and set(np.unique(mask)) <= {0, 1}


@fuzz
@given(segmentation=rles)
@example(segmentation=dict(size=[HEIGHT, WIDTH], counts='oooooooo'))
@example(segmentation=dict(size=[HEIGHT, WIDTH], counts=[0, 2**63]))
def test_a_run_length_code_is_painted_or_refused(segmentation):
    judged(segmentation)


@fuzz
@given(segmentation=polygons)
@example(segmentation=[[1e308, -1e308, 1, 2, 3, 4]])
def test_polygons_are_painted_or_refused(segmentation):
    judged(segmentation)
