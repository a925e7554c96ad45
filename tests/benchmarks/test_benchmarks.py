import json
import re
import subprocess
import sys

import cv2
import pytest
from conftest import ROOT

# One round instead of eight: what is tested is that they run, not what they measure.
ONCE = """
import functools, sys
from benchmarks import timing
timing.compare = functools.partial(timing.compare, rounds=1)
from benchmarks import crf, k_fold, pasting, photos, predicting, pseudo_labels, serving
from benchmarks import start_up, training
training.ITERATIONS = 1
serving.PHOTOS, serving.SIDE = 2, 64
photos.PHOTOS = pasting.SAMPLES = 4
predicting.PHOTOS, predicting.SIDE = 2, 96
crf.PHOTOS = pseudo_labels.PHOTOS = 2
crf.SIDES, crf.ROUNDS = (48, 64), 1
k_fold.IMAGES = start_up.IMAGES = 60
from benchmarks.__main__ import build_parser, run
run(build_parser().parse_args(sys.argv[1:]))
"""
NAMES = {
    'start_up', 'loading', 'pasting', 'pipeline', 'training', 'metric', 'crf', 'pseudo_labels',
    'k_fold', 'predicting', 'serving',
}  # fmt: skip


def run_once(*args):
    command = [sys.executable, '-c', ONCE, *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_all_comparisons_run_and_are_written_and_drawn(tmp_path):
    pytest.importorskip('pydensecrf.densecrf')
    pytest.importorskip('segmentation_models_pytorch')
    done = run_once('--out', tmp_path / 'b.json')
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((tmp_path / 'b.json').read_text())['results']
    # Two weights, two numbers of labels and two sizes, and undecided labels, instead of one row;
    # prediction against five.
    assert len(results) == len(NAMES) + 12
    crf = [result['name'] for result in results if 'dense CRF' in result['name']]
    assert len(set(crf)) == 9
    assert all('11 labels' in name or '21 labels' in name for name in crf)
    for result in results:
        assert 0 < result['ratio_low'] <= result['ratio'] <= result['ratio_high']
        assert result['load'] >= 0
        assert result['name'] in done.stdout
        assert result['peer'] in done.stdout
    assert min(cv2.imread(str(tmp_path / 'b.png')).shape[:2]) > 300


def test_every_benchmark_has_a_name_that_runs_it():
    from benchmarks.__main__ import NAMES as OFFERED

    having_run = {
        path.stem
        for path in (ROOT / 'benchmarks').glob('[!_]*.py')
        if re.search(r'\ndef run\(\) -> (Comparison|Iterator\[Comparison\]):', path.read_text())
    }
    assert set(OFFERED) == having_run == NAMES


def test_only_those_named_are_run(tmp_path):
    done = run_once('k_fold', 'start_up', '--out', tmp_path / 'b.json')
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((tmp_path / 'b.json').read_text())['results']
    assert [result['name'].split(' (')[0] for result in results] == [
        '5 folds of 60 images',
        'start-up of the dataset',
    ]


def test_an_unknown_name_is_refused(tmp_path):
    command = [sys.executable, '-m', 'benchmarks', 'crfs', '--out', str(tmp_path / 'b.json')]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "'crfs' is none of the benchmarks" in done.stderr
    assert 'Traceback' not in done.stderr
    assert not list(tmp_path.iterdir())
