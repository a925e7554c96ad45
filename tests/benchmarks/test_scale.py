import json
import subprocess
import sys

import cv2
import pytest
from conftest import ROOT

from benchmarks.scale import curve

POINT = dict(seconds=1.0, cpu_seconds=1.0, mebibytes=10.0, process_seconds=2.0)


def test_sizes_are_measured_and_drawn(tmp_path):
    out = tmp_path / 'scale.json'
    command = [sys.executable, '-m', 'benchmarks.scale', '--sizes', '40', '20', '--out', str(out)]
    command += ['--works', 'sampler', 'k-fold']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    curves = json.loads(out.read_text())
    assert set(curves) == {'sampler', 'k-fold'}
    for found in curves.values():
        assert found['images'] == [20, 40]
        assert all(
            0 < a < b for a, b in zip(found['seconds'], found['process_seconds'], strict=True)
        )
        # Python with NumPy is never smaller.
        assert min(found['mebibytes']) > 20
    assert min(cv2.imread(str(out.with_suffix('.png'))).shape[:2]) > 300


@pytest.mark.parametrize('exponent', [0, 1, 2])
def test_exponents_are_those_of_the_growth(exponent):
    sizes = [10, 40, 1000]
    points = [dict(POINT, cpu_seconds=3.0 * size**exponent) for size in sizes]
    assert curve(sizes, points)['exponents'] == [exponent, exponent]


def test_one_size_has_no_exponent():
    assert curve([10], [POINT])['exponents'] == []
