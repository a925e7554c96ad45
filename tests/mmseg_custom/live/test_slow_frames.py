import time

import pytest

from mmseg_custom.live.slow_frames import SlowFrames


@pytest.mark.parametrize('slow_stage', ['waiting', 'model', 'line', None])
def test_a_slow_frame_says_what_took_the_time(slow_stage, monkeypatch):
    now, said = 100.0, []
    monkeypatch.setattr(time, 'monotonic', lambda: now)
    frames = SlowFrames(said.append, limit=5)
    for number in range(3):
        came = now
        stages = dict.fromkeys(('waiting', 'model', 'line'), 0.25)
        if number == 1 and slow_stage:
            stages[slow_stage] += 20
        now += stages['waiting']
        frames.begin(number, came)
        for stage in ('model', 'line'):
            now += stages[stage]
            frames.done(stage)
        frames.end()
    if slow_stage is None:
        assert said == []
        return
    (line,) = said
    assert line.startswith('frame 1: took 20.8 s (')
    assert f'{slow_stage} 20.2 s' in line
    assert line.count(' 0.2 s') == 2
    assert 'pages from the disk' in line
