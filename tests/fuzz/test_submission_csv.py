import pytest
from hostile_inputs import damaged, fuzz
from hypothesis import given
from hypothesis import strategies as st

from mmseg_custom.coco.convert.submission import SIDE, read_submission
from mmseg_custom.utils import UserError

HEAD = b'image_id,PredictionString\n'
LABELS = b' '.join([b'3'] * SIDE * SIDE)


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz') / 'submission.csv'


@fuzz
@given(start=damaged(HEAD + b'a.jpg,'), end=st.sampled_from([b'', b' 11', b' x', b'\0', b'"\n']))
def test_a_damaged_submission_is_read_or_refused(path, start, end):
    path.write_bytes(start + LABELS + end)
    try:
        rows = list(read_submission(path))
    except UserError as error:
        assert str(path) in str(error)
        return
    assert all(mask.shape == (SIDE, SIDE) and mask.max() < 11 for _, mask in rows)
