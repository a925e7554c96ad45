import json

import numpy as np

from benchmarks.live import MOST, SEEN, pan
from benchmarks.soak import new_lines, percentiles


def test_percentiles_are_numpys_in_milliseconds():
    seconds = np.random.default_rng(0).exponential(0.2, 57).tolist()
    expected = np.percentile(seconds, [50, 99, 100]) * 1000
    assert np.allclose(list(percentiles(seconds).values()), expected, atol=0.051)


def test_each_line_is_read_once_and_half_a_line_later(tmp_path):
    path = tmp_path / 'frames.jsonl'
    assert new_lines(path, 0) == ([], 0)
    path.write_text('{"frame": 0}\n{"frame": 1}\n{"fra')
    first, place = new_lines(path, 0)
    with path.open('a') as file:
        file.write('me": 2}\n')
    second, place = new_lines(path, place)
    # Continued in a new file, which is shorter.
    path.write_text('{"frame": 3}\n')
    third, place = new_lines(path, place)
    assert [line['frame'] for line in first + second + third] == [0, 1, 2, 3]
    assert new_lines(path, place) == ([], place)
    assert json.loads(path.read_text()) == third[0]


def test_a_moving_window_shows_what_its_labels_say():
    labels = np.arange(100 * 120, dtype=np.int64).reshape(100, 120) % 251
    photo = np.repeat(labels[..., None], 3, axis=2).astype(np.uint8)
    found = list(pan(photo, labels.astype(np.uint8), 3))
    assert len(found) == min(MOST, int((1 - SEEN) * 100) // 3)
    for number, (frame, seen) in enumerate(found):
        assert np.array_equal(seen, labels[3 * number :, 3 * number :][:70, :84])
        inner = (seen > 30) & (seen < 220)
        assert abs(frame[..., 0][inner].astype(int) - seen[inner]).mean() < 6
