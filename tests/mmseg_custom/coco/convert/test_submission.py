"""Rows of a CSV that are read in the fast way and in the slow one have the same labels."""

import csv

import numpy as np
import pytest

from mmseg_custom.coco.convert.submission import HEADER, read_submission
from mmseg_custom.utils import UserError

WORDS = np.random.default_rng(0).integers(0, 11, 256 * 256).astype(str).tolist()


def labels_of(tmp_path, text: str) -> list[int]:
    with open(tmp_path / 's.csv', 'w', newline='') as file:
        csv.writer(file).writerows([HEADER, ['a.jpg', text]])
    ((name, labels),) = read_submission(tmp_path / 's.csv')
    assert (name, labels.shape, labels.dtype) == ('a.jpg', (256, 256), np.uint8)
    return labels.ravel().tolist()


@pytest.mark.parametrize(
    'text',
    [
        ' '.join(WORDS),
        f'  {"   ".join(WORDS)} ',
        '\t'.join(WORDS),
        '\n'.join(WORDS),
        ' '.join(word.zfill(2) for word in WORDS),
        ' '.join(['10'] * 65535 + ['9']),
        ' '.join(['9'] + ['10'] * 65535),
        '\u2003'.join(WORDS),
    ],
)
def test_labels_are_those_of_the_words(tmp_path, text):
    assert labels_of(tmp_path, text) == [int(word) for word in text.split()]


@pytest.mark.parametrize('word', ['11', '99', '100', '010', '-1', '1.0', 'x', '²', '1e0', ':', '/'])
@pytest.mark.parametrize('place', [0, 100, 65535])
def test_another_word_is_named(tmp_path, word, place):
    words = [*WORDS[:place], word, *WORDS[place + 1 :]]
    with pytest.raises(UserError, match='line 2: a.jpg has .* labels are 0 to 10'):
        labels_of(tmp_path, ' '.join(words))
