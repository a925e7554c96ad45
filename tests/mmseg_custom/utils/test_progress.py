import io
import sys

import pytest

from mmseg_custom.utils import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Let each item take four seconds."""
    now = [0.0]
    monkeypatch.setattr('tqdm.std.time', lambda: now[0])

    def items(count):
        for item in range(count):
            yield item
            now[0] += 4

    return items


def shown(monkeypatch, stream, items, count, **options):
    monkeypatch.setattr(sys, 'stderr', stream)
    # tqdm looks its clock up when a bar is made.
    bar = progress.tqdm(items(count), total=count, desc='reading', unit='photo', **options)
    assert list(bar) == list(range(count))
    return stream.getvalue()


def test_off_a_terminal_there_is_a_line_every_ten_seconds(monkeypatch, clock):
    text = shown(monkeypatch, io.StringIO(), clock, 20)
    assert '\r' not in text
    lines = text.splitlines()
    done = [int(line.split()[1].split('/')[0]) for line in lines]
    # Four seconds each: after every third item more than ten seconds have passed.
    assert done == list(range(4, 20, 3))
    assert lines[0].startswith('reading: 4/20 photo, 00:12 elapsed')


def test_it_takes_the_arguments_of_tqdm_by_position(monkeypatch):
    monkeypatch.setattr(sys, 'stderr', io.StringIO())
    bar = progress.tqdm(range(3), 'reading', 3, False)
    assert (bar.desc, bar.total, list(bar)) == ('reading', 3, [0, 1, 2])
    assert list(progress.tqdm(range(2))) == [0, 1]


def test_off_a_terminal_a_bar_inside_another_moves_no_cursor(monkeypatch, clock):
    stream = io.StringIO()
    monkeypatch.setattr(sys, 'stderr', stream)
    for _ in progress.tqdm(clock(2), total=2, desc='training', unit='epoch'):
        list(progress.tqdm(clock(4), total=4, desc='reading', unit='photo'))
    lines = stream.getvalue().splitlines()
    assert all(line.startswith(('training: ', 'reading: ')) for line in lines), lines
    assert len({line.partition(':')[0] for line in lines}) == 2


def test_off_a_terminal_short_work_is_silent(monkeypatch, clock):
    assert shown(monkeypatch, io.StringIO(), clock, 2) == ''


def test_on_a_terminal_it_is_a_bar(monkeypatch, clock):
    text = shown(monkeypatch, Terminal(), clock, 5)
    assert text.count('\r') > 1
    assert '100%|' in text


def test_a_bar_that_is_disabled_says_nothing(monkeypatch, clock):
    assert shown(monkeypatch, io.StringIO(), clock, 20, disable=True) == ''
