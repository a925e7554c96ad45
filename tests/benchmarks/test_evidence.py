import json

import numpy as np
import pytest
import yaml
from conftest import ROOT
from PIL import Image
from scipy.stats import bootstrap
from sklearn.metrics import confusion_matrix, jaccard_score

from benchmarks.evidence import ARMS, add_results, build_parser, run
from benchmarks.evidence_page import page
from benchmarks.evidence_results import compare, read_trainings

FACTORS = 0.333, 1.0, 3.0


def pixels(seed, wrong):
    """Truth and prediction of 300 pixels, of which a fraction is wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 300)
    return truth, np.where(rng.random(300) < wrong, (truth + 1) % 3, truth)


def training(arm, fold, seed, factor, wrong):
    truth, prediction = pixels([len(arm), fold, seed], wrong)
    confusion = confusion_matrix(truth, prediction, labels=range(3)).tolist()
    return dict(arm=arm, fold=fold, seed=seed, lr_factor=factor, confusion=confusion)


@pytest.fixture
def trainings():
    """Two experiments; the first is best at 1, the other at 3, and better. One factor failed."""
    made = []
    for arm, best, error in (('base', 1.0, 0.3), ('other', 3.0, 0.2)):
        for fold in range(3):
            for factor in FACTORS:
                wrong = error + 0.1 * (factor != best)
                made += [training(arm, fold, 0, factor, wrong)]
            made += [training(arm, fold, 1, best, error)]
    failed = dict(arm='other', fold=2, lr_factor=0.333)
    return [one for one in made if not failed.items() <= one.items()]


def test_gains_are_those_of_the_chosen_rates_on_pairs(trainings):
    first, second = compare(trainings, 'base')
    assert (first.factors, second.factors) == ({1.0: 3}, {3.0: 3})
    assert (first.trainings, second.trainings) == (6, 6)
    means = []
    for arm, wrong in (('base', 0.3), ('other', 0.2)):
        scores = []
        for seed in (0, 1):
            parts = [pixels([len(arm), fold, seed], wrong) for fold in range(3)]
            truth, prediction = np.concatenate(parts, axis=1)
            scores.append(100 * jaccard_score(truth, prediction, average='macro'))
        means.append(np.mean(scores))
    assert [first.mean, second.mean] == pytest.approx(means)
    assert second.gain == pytest.approx(means[1] - means[0])
    assert first.gain == 0


def test_the_interval_is_that_of_scipys_paired_bootstrap(trainings):
    chosen = [one for one in trainings if one['lr_factor'] == {'base': 1, 'other': 3}[one['arm']]]
    for one in chosen:  # the order that ``compare`` has
        one['place'] = (one['seed'], one['fold'])
    old, new = (
        [
            np.array(one['confusion'])
            for one in sorted(chosen, key=lambda one: one['place'])
            if one['arm'] == arm
        ]
        for arm in ('base', 'other')
    )

    def score(matrices, places):
        total = sum(matrices[int(place)] for place in places)
        hits = np.diag(total)
        return 100 * np.mean(hits / (total.sum(0) + total.sum(1) - hits))

    expected = bootstrap(
        (np.arange(6), np.arange(6)),
        lambda a, b: score(new, b) - score(old, a),
        paired=True,
        vectorized=False,
        method='percentile',
        n_resamples=5000,
        rng=1,
    ).confidence_interval
    _, row = compare(trainings, 'base')
    assert row.interval == pytest.approx(tuple(expected), abs=0.3)


def test_rates_that_two_folds_choose_count_and_those_that_none_chooses_do_not(trainings):
    two = [one for one in trainings if one['fold'] < 2 or one['lr_factor'] in (1, 3)]
    assert compare(two, 'base') == compare(trainings, 'base')
    one_fold = [one for one in trainings if one['arm'] == 'base' or one['fold'] < 1]
    assert [row.name for row in compare(one_fold, 'base')] == ['base']
    cut = [one for one in trainings if (one['arm'], one['seed'], one['fold']) != ('other', 1, 2)]
    assert compare(cut, 'base')[1].trainings == 5


def test_only_finished_trainings_are_added_once(trainings, tmp_path):
    out, results = tmp_path / 'frozen', tmp_path / 'results.json'
    for one in trainings:
        folder = out / one['arm'] / f'fold_{one["fold"]}_seed_{one["seed"]}_lr_{one["lr_factor"]:g}'
        (folder / 'val').mkdir(parents=True)
        content = dict(iter=8, max_iters=8, classes=list('abc'), confusion_matrix=one['confusion'])
        (folder / 'val' / 'iter_000008.json').write_text(json.dumps(content))
    half = out / 'base' / 'fold_0_seed_7_lr_1' / 'val'
    half.mkdir(parents=True)
    (half / 'iter_000004.json').write_text(json.dumps(dict(content, iter=4)))
    found, classes = read_trainings(out)
    assert classes == list('abc')
    key = json.dumps
    assert sorted(map(key, found)) == sorted(map(key, trainings))
    for _ in range(2):
        assert len(add_results(results, [out])['frozen']) == len(trainings)


def test_the_page_says_what_is_measured_and_what_is_not(trainings, tmp_path):
    studies = yaml.safe_load(ARMS.read_text())
    names = dict(base='frozen_head', other='focal')
    renamed = [dict(one, arm=names[one['arm']]) for one in trainings]
    results = tmp_path / 'results.json'
    folds = dict(
        plain=dict(score=[5.0, 7.0], fraction=[11.0, 12.0]),
        stratified=dict(score=[2.0, 4.0], fraction=[1.0, 1.5]),
    )
    results.write_text(json.dumps(dict(classes=list('abc'), frozen=renamed, folds=folds)))
    arguments = ['--results', str(results), '--page', str(tmp_path / 'docs' / 'evidence.md')]
    (tmp_path / 'docs' / 'images').mkdir(parents=True)
    run(build_parser().parse_args(arguments))
    text = (tmp_path / 'docs' / 'evidence.md').read_text()
    _, row = compare(renamed, 'frozen_head')
    assert f'| {row.gain:+.2f} | {row.interval[0]:+.2f} to {row.interval[1]:+.2f} |' in text
    assert f'above zero for: focal loss ({row.gain:+.1f})' in text
    assert '| stratified |                      1.25 points |           3.00 points |' in text
    assert 'difference of both means is -3.00 points (-3.00 to -3.00)' in text
    missing = text.split('## Not measured')[1]
    assert f'- {studies["folds"]["title"]}' not in missing
    for study in studies.values():
        for arm, title in (study.get('arms', {}) if isinstance(study, dict) else {}).items():
            is_missing = f'- {title.replace(";", ",")}\n' in missing
            is_technique = arm not in (study['first'], *study.get('controls', ()))
            assert is_missing == (arm != 'focal' and is_technique)
    assert Image.open(tmp_path / 'docs' / 'images' / 'evidence.png').width == 600


def test_conclusions_say_which_of_two_studies_is_meant(trainings):
    renamed = {
        study: [
            dict(one, arm=dict(base=first, other='weighted_ce')[one['arm']]) for one in trainings
        ]
        for study, first in (('frozen', 'frozen_head'), ('frozen_wide', 'frozen_head_wide'))
    }
    text, compared = page(renamed, yaml.safe_load(ARMS.read_text()))
    names = [name for pairs in compared.values() for name, _ in pairs]
    assert names[1] == f'{names[0]} at 160 pixels'
    assert f'; {names[1]} (' in text


def test_controls_are_in_the_table_and_not_in_the_conclusions(trainings):
    names = dict(base='plain', other='first_seed')
    renamed = [dict(one, arm=names[one['arm']]) for one in trainings]
    text, compared = page(dict(averages=renamed), yaml.safe_load(ARMS.read_text()))
    assert '| the first seed alone ' in text
    assert [name for pairs in compared.values() for name, _ in pairs] == []
    assert 'above zero for: nothing' in text


def test_the_page_in_the_repository_is_that_of_its_results():
    results = ROOT / 'benchmarks' / 'results' / 'evidence.json'
    if not results.is_file():
        pytest.skip('no results yet')
    text, _ = page(json.loads(results.read_text()), yaml.safe_load(ARMS.read_text()))
    assert (ROOT / 'docs' / 'evidence.md').read_text() == text


def test_every_experiment_of_the_configs_is_named_in_a_study():
    studies = yaml.safe_load(ARMS.read_text())
    folder = ROOT / 'configs' / 'ablation'
    names = dict(
        frozen='frozen_head', frozen_wide='frozen_head', trained='trained', augmented='trained'
    )
    backbones = [path.stem for path in folder.glob('backbone_*.py')]
    configs = dict(
        frozen=['frozen_head', 'cosine_restarts', 'copy_paste_offline', *backbones],
        frozen_wide=['frozen_head_wide', 'cosine_restarts_wide'],
        trained=[path.stem for path in folder.glob('trained*.py')],
        augmented=['trained', 'trained_mirrored', 'trained_copy_paste'],
    )
    for study, base in names.items():
        variants = yaml.safe_load((folder / f'{base}.yaml').read_text())
        assert {*studies[study]['arms']} <= {*configs[study], *variants}
        if study != 'frozen_wide':
            assert {*configs[study], *variants} == {*studies[study]['arms']}
