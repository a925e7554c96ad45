import json

import pytest

from mmseg_custom.runs.lr_factors import choose_factors, with_factors
from mmseg_custom.runs.trials import plan_trials
from mmseg_custom.utils import UserError


def finish(trial, right):
    """Write a result of ten pixels, of which ``right`` are right."""
    folder = trial.folder / 'val'
    folder.mkdir(parents=True)
    content = dict(iter=1, max_iters=1, confusion_matrix=[[right, 10 - right], [0, 10]])
    (folder / 'iter_000001.json').write_text(json.dumps(content))


def test_a_fold_takes_what_is_best_on_the_others(tmp_path):
    trials = with_factors(plan_trials(['a.py'], [0], [0, 1, 2], tmp_path), [0.5, 1, 2])
    assert len({trial.folder for trial in trials}) == 9
    # Fold 0 alone likes 2, the others 0.5: it has no say about itself.
    right = {0: {0.5: 1, 1: 2, 2: 9}, 1: {0.5: 7, 1: 5, 2: 1}, 2: {0.5: 7, 1: 5, 2: 1}}
    for trial in trials:
        finish(trial, right[trial.fold][trial.lr_factor])
    chosen = choose_factors(trials)
    assert chosen['a', 0] == 0.5
    # Without fold 1: 8, 7 and 10 of 20 pixels.
    assert chosen['a', 1] == chosen['a', 2] == 2


def test_of_equal_rates_the_configs_own_is_taken(tmp_path):
    trials = with_factors(plan_trials(['a.py'], [0], [0, 1], tmp_path), [3, 1, 0.1])
    for trial in trials:
        finish(trial, 5)
    assert set(choose_factors(trials).values()) == {1}


def test_two_folds_choose_for_all_and_what_failed_is_not_chosen(tmp_path):
    trials = with_factors(plan_trials(['a.py'], [0], [0, 1], tmp_path), [0.5, 1, 2])
    right = {0: {0.5: 8, 1: 5, 2: 9}, 1: {0.5: 3, 1: 6, 2: 0}}
    for trial in trials:
        if (trial.fold, trial.lr_factor) != (0, 2):  # that one failed
            finish(trial, right[trial.fold][trial.lr_factor])
    # Fold 0 is chosen for by fold 1, fold 1 by fold 0, the third one by both: 11 and 11 of 20.
    assert choose_factors(trials, [0, 1, 2]) == {('a', 0): 1, ('a', 1): 0.5, ('a', 2): 1}
    with pytest.raises(UserError, match='a: no fold but 0 has results at each learning rate'):
        choose_factors([trial for trial in trials if trial.fold == 0], [0, 1])
