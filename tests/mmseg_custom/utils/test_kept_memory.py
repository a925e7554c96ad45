import platform
import subprocess
import sys

import pytest

# How many pages of four results of 48 MB the system fills with zeros, after a first one.
FAULTS = """
import resource
import numpy as np
from mmseg_custom.utils import kept_memory
{call}
def fill():
    np.full(12 << 20, 1, np.float32)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
before = faults()
for _ in range(4):
    fill()
print((faults() - before) * resource.getpagesize() / (48 << 20))
"""


def arrays_filled(call: str) -> float:
    command = [sys.executable, '-c', FAULTS.format(call=call)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='mallopt is of glibc')
def test_memory_of_the_last_photos_is_used_again():
    # Some systems have larger pages behind them, and fewer faults: compare instead of counting.
    without = arrays_filled('')
    assert without > 0
    assert arrays_filled('kept_memory.keep_freed_memory()') < without / 10


@pytest.mark.parametrize('error', [AttributeError, OSError, TypeError])
def test_other_c_libraries_are_left_as_they_are(monkeypatch, error):
    from mmseg_custom.utils import kept_memory

    def fail(name):
        raise error

    monkeypatch.setattr(kept_memory.ctypes, 'CDLL', fail)
    kept_memory.keep_freed_memory()
