import json
import subprocess
import sys

from conftest import ROOT

# One round instead of eight: what is tested is that they run, not what they measure.
ONCE = """
import functools, sys
from benchmarks import timing
timing.compare = functools.partial(timing.compare, rounds=1)
from benchmarks import training
training.ITERATIONS = 1
from benchmarks import crf, pseudo_labels
crf.PHOTOS = pseudo_labels.PHOTOS = 2
from benchmarks.__main__ import build_parser, run
run(build_parser().parse_args(['--out', sys.argv[1]]))
"""


def test_all_comparisons_run_and_are_written(tmp_path):
    command = [sys.executable, '-c', ONCE, str(tmp_path / 'b.json')]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((tmp_path / 'b.json').read_text())['results']
    assert len(results) == 6
    for result in results:
        assert result['ratio'] > 0
        assert result['name'] in done.stdout
        assert result['peer'] in done.stdout
