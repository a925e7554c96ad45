"""Lines and videos of a camera that runs for ever."""

import json
import logging.handlers
import time

import av
import numpy as np
import pytest

from mmseg_custom.classes import built_in
from mmseg_custom.live import BeltCounter, lines, recording
from mmseg_custom.live.lines import Lines
from mmseg_custom.live.recording import Recording, RecordingParts, annotated

LIMIT = 500_000


def noise(seed, height=48, width=64):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def frames_of(path):
    with av.open(str(path)) as container:
        return [
            (frame.pts * frame.time_base, frame.to_ndarray(format='bgr24'))
            for frame in container.decode(video=0)
        ]


@pytest.mark.parametrize('size', [(48, 64), (49, 63)])
def test_a_video_plays_at_the_speed_of_the_camera(tmp_path, size):
    path = tmp_path / 'seen.mp4'
    video = Recording(path)
    moments = (100.0, 100.2, 100.2, 101.7, 107.0)
    for level, moment in enumerate(moments):
        video.add(np.full((*size, 3), 40 * level, np.uint8), moment)
    video.close()
    found = frames_of(path)
    times = [float(when - found[0][0]) for when, _ in found]
    assert np.allclose(times, [0, 0.2, 0.2, 1.7, 7.0], atol=0.002)
    assert [round(frame.mean() / 40) for _, frame in found] == list(range(5))


def test_a_video_that_was_cut_off_can_be_played(tmp_path):
    video = Recording(tmp_path / 'seen.mp4')
    for number in range(3 * recording.KEY_FRAME_EVERY):
        video.add(noise(number), number / 5)
    cut = tmp_path / 'cut.mp4'
    cut.write_bytes((tmp_path / 'seen.mp4').read_bytes())
    assert len(frames_of(cut)) >= recording.KEY_FRAME_EVERY
    video.close()


def test_videos_never_take_more_than_their_limit_and_continue_after_a_start(tmp_path):
    (tmp_path / 'seen-of-somebody-else.mp4').write_bytes(b'0' * LIMIT)
    sizes, names = [], []
    for start in range(2):
        video = RecordingParts(tmp_path / 'seen.mp4', LIMIT)
        for number in range(150):
            video.add(noise(number), 100 * start + number / 5)
            sizes.append(sum(part.stat().st_size for part in video.parts()))
        video.close()
        names.append([part.name for part in video.parts()])
    assert LIMIT / 3 < max(sizes) <= LIMIT
    assert (tmp_path / 'seen-of-somebody-else.mp4').is_file()
    assert names[1][-1] > names[0][-1]
    assert 'seen-000001.mp4' not in names[1]
    assert all(frames_of(part) for part in video.parts())


def test_a_full_disk_stops_the_video_for_a_while_and_is_reported_once(tmp_path, monkeypatch):
    reports = []
    video = RecordingParts(tmp_path / 'seen.mp4', LIMIT, reports.append)

    def fail(*_):
        raise OSError(28, 'No space left on device')

    with monkeypatch.context() as full:
        full.setattr(Recording, 'add', fail)
        for number in range(10):
            video.add(noise(number), number / 5)
    assert len(reports) == 1 and 'No space left' in reports[0]
    video.add(noise(0), recording.RETRY_SECONDS + 1)
    video.close()
    assert len(frames_of(video.parts()[-1])) == 1


def write(log, numbers, counter):
    mask = np.zeros((10, 10), np.uint8)
    for number in numbers:
        log.write(number, time.monotonic() - 2, mask, counter.update(mask, float(number)), counter)


@pytest.mark.parametrize('is_endless', [True, False])
def test_lines_of_a_camera_are_limited_those_of_a_video_are_not(tmp_path, monkeypatch, is_endless):
    monkeypatch.setattr(lines, 'FILE_SIZE', 2000)
    log = Lines(tmp_path / 'frames.jsonl', is_endless)
    write(log, range(300), BeltCounter(built_in()))
    files = sorted(tmp_path.iterdir(), key=lambda path: path.suffix, reverse=True)
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    numbers = sorted(line['frame'] for line in found)
    assert numbers == list(range(numbers[0], 300))
    assert all(2 <= line['latency'] < 200 and line['areas'] == {'Background': 1} for line in found)
    if is_endless:
        assert len(files) == lines.FILES and max(f.stat().st_size for f in files) <= 2000
    else:
        assert len(files) == 1 and numbers[0] == 0


def test_lines_that_cannot_be_written_are_reported_once_and_so_is_their_end(
    tmp_path, monkeypatch, capsys
):
    reports, counter = [], BeltCounter(built_in())
    log = Lines(tmp_path / 'frames.jsonl', report=reports.append)

    def fail(*_):
        raise OSError(28, 'No space left on device')

    with monkeypatch.context() as full:
        full.setattr(logging.handlers.RotatingFileHandler, 'shouldRollover', fail)
        write(log, range(5), counter)
    write(log, range(5, 8), counter)
    assert len(reports) == 2
    assert 'No space left' in reports[0] and 'again' in reports[1]
    assert len((tmp_path / 'frames.jsonl').read_text().splitlines()) == 3
    assert capsys.readouterr().err == ''


def test_each_object_that_passes_is_in_one_line():
    counter, passed = BeltCounter(built_in()), []
    for number, left in enumerate(range(0, 70, 10)):
        mask = np.zeros((60, 100), np.uint8)
        mask[20:40, left : left + 30] = 6
        objects = counter.update(mask, number / 5)
        passed += counter.passed
        picture = annotated(np.zeros((60, 100, 3), np.uint8), mask, objects, counter)
        # The line is drawn where it is counted.
        assert (picture[0] == 255).all(axis=1).tolist() == [x == 50 for x in range(100)]
    assert [(one.id, one.label) for one in passed] == [(objects[0].id, 6)]
    assert counter.counts.total() == 1
