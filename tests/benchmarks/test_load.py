import mmap
import os

import pytest

from benchmarks.load import describe
from benchmarks.memory import resident_memory


def test_answers_are_counted_and_latencies_are_percentiles():
    answers = [(200, second / 100) for second in range(1, 101)] + [(503, 9.0), (0, 600.0)]
    found = describe(answers)
    assert found['requests'] == 102
    assert found['statuses'] == {'200': 100, '503': 1, '0': 1}
    assert found['p50'] == pytest.approx(0.505, abs=0.011)
    assert found['p99'] == pytest.approx(0.99, abs=0.011)
    assert found['slowest'] == 1.0


def test_a_load_without_answers_has_no_latency():
    assert describe([(0, 1.0)])['p99'] == 0


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='the system has no /proc')
def test_memory_is_that_of_the_process():
    before = resident_memory(os.getpid())
    # Not the allocator's, which may have as much at hand.
    with mmap.mmap(-1, 64 << 20) as kept:
        for _ in range(64):
            kept.write(b'x' * (1 << 20))
        assert 50 < resident_memory(os.getpid()) - before < 90
