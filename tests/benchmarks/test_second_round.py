"""The study of self-training, without its trainings."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import bootstrap

from benchmarks.second_round import ARMS, Study
from benchmarks.second_round_arms import in_turns, split_photos, steps_of
from benchmarks.second_round_report import collect, write_report
from benchmarks.steps import Steps


def test_steps_follow_what_they_need():
    seen = set()
    for name, part, seed, after in steps_of(ARMS, (8, 16), range(2)):
        assert {(each, part, seed) for each in after} <= seen
        seen.add((name, part, seed))
    assert {(arm, part, seed) for arm in ARMS for part in (8, 16) for seed in (0, 1)} <= seen


def test_a_failed_step_stops_what_needs_it():
    steps, done = Steps(2), []
    steps.add('a', lambda: None)
    steps.add('b', lambda: 1 / 0, ['a'])
    steps.add('c', lambda: done.append('wrong'), ['b'])
    steps.add('d', lambda: done.append('right'), ['a'])
    failed = steps.run()
    assert set(failed) == {'b', 'c'}
    assert done == ['right']


def test_photos_of_each_category_come_in_turns():
    images = [dict(file_name=name) for name in ('a1', 'a2', 'b1', 'x', 'a3', 'b2')]
    category_of = {name: name[0] for name in ('a1', 'a2', 'b1', 'a3', 'b2')}
    turns = [image['file_name'] for image in in_turns(images, category_of)]
    assert turns == ['a1', 'b1', 'a2', 'b2', 'a3']


@pytest.fixture
def study(tmp_path) -> Study:
    return Study('samples/recycle_trash/train.json', None, tmp_path, 10, 160, False, False, print)


def test_seeds_hold_back_each_photo_once_and_share_none_with_training(study):
    held_back = []
    for seed in range(5):
        folder = study.folder(8, seed, 'split')
        split_photos(study, 8, seed, folder)
        names = {
            part: {
                image['file_name']
                for image in json.loads((folder / f'{part}.json').read_text())['images']
            }
            for part in ('labeled', 'unlabeled', 'val')
        }
        assert not names['labeled'] & names['unlabeled']
        assert not (names['labeled'] | names['unlabeled']) & names['val']
        assert len(names['labeled']) == round(len(names['labeled'] | names['unlabeled']) / 8)
        held_back += names['val']
    assert len(held_back) == len(set(held_back)) == 40


def test_the_report_is_paired(study, tmp_path):
    rng = np.random.default_rng(0)
    more = 40 + 10 * rng.random(6)
    online = more * (1.05 + 0.02 * rng.standard_normal(6))
    for name, scores in (('more', more), ('online', online)):
        for seed, score in enumerate(scores):
            folder = study.folder(16, seed, name)
            (folder / 'val').mkdir(parents=True)
            metrics = dict(metrics=dict(mIoU=float(score)))
            (folder / 'val' / 'iter_000010.json').write_text(json.dumps(metrics))
            (folder / 'done').touch()
    study.folder(16, 6, 'online').mkdir(parents=True)  # not done
    scores = collect(study, [16])
    text = write_report(scores, tmp_path / 'out.json')
    gains = 100 * (online / more - 1)
    peer = bootstrap((gains,), np.mean, method='percentile', rng=0).confidence_interval
    row = next(line for line in text.splitlines() if ' online ' in line)
    cells = [cell.strip() for cell in row.strip('|').split('|')]
    assert cells[:3] == ['1/16', 'online', '6']
    assert float(cells[4].split()[0]) == pytest.approx(gains.mean(), abs=0.051)
    found = [float(cells[5].split()[place]) for place in (0, 2)]
    assert found == pytest.approx(list(peer), abs=0.2)
    assert all(Path(tmp_path, f'out{suffix}').is_file() for suffix in ('.md', '.png'))
