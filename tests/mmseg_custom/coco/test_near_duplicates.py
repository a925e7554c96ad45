import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmseg_custom.coco.near_duplicates import difference_hash, group_near
from mmseg_custom.utils import UserError


@settings(max_examples=30)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=12), st.integers(0, 3))
def test_near_hashes_are_grouped_as_by_a_naive_search(numbers, distance):
    hashes = np.array([[bool(n >> bit & 1) for bit in range(8)] for n in numbers])
    groups = list(range(len(numbers)))
    for _ in numbers:
        for a, first in enumerate(numbers):
            for b, second in enumerate(numbers):
                if bin(first ^ second).count('1') <= distance:
                    groups[a] = groups[b] = min(groups[a], groups[b])
    found = group_near(hashes, distance)
    assert [[x == y for y in groups] for x in groups] == (found[:, None] == found).tolist()


def test_a_smaller_copy_of_a_photo_has_nearly_its_hash(toy_set, tmp_path):
    photos = sorted(toy_set.glob('batch_0*/*.jpg'))[:6]
    hashes = np.stack([difference_hash(photo) for photo in photos])
    Image.open(photos[0]).save(tmp_path / 'copy.jpg', quality=60)
    distances = (hashes != difference_hash(tmp_path / 'copy.jpg')).sum(axis=1)
    assert distances[0] <= 4 < distances[1:].min()
    (tmp_path / 'copy.jpg').write_bytes(b'x')
    with pytest.raises(UserError, match=r'copy\.jpg: the photo is truncated or no image'):
        difference_hash(tmp_path / 'copy.jpg')
    with pytest.raises(UserError, match='no such photo'):
        difference_hash(tmp_path / 'none.jpg')
