import numpy as np
import torch
from sklearn.metrics import jaccard_score

from benchmarks.evidence_afterwards import choose_settings
from benchmarks.evidence_heads import find_heads


def result(arm, fold, setting, wrong, seed=0):
    """Ten pixels of each of two classes; so many of the second one are taken for the first."""
    confusion = [[10, 0], [wrong, 10 - wrong]]
    return dict(arm=arm, fold=fold, seed=seed, lr_factor=None, setting=setting, confusion=confusion)


def test_a_fold_takes_the_setting_that_is_best_on_the_others():
    wrong = {0: [9, 0, 5], 1: [1, 5, 3], 2: [2, 6, 3]}  # of each setting, by fold
    found = [result('crf', f, s, n) for f, row in wrong.items() for s, n in enumerate(row)]
    found += [result('plain', fold, None, 4) for fold in wrong]
    chosen = choose_settings(found)
    assert all('setting' not in one for one in chosen)
    assert [one['arm'] for one in chosen].count('plain') == 3
    own = {one['fold']: one['confusion'][1][0] for one in chosen if one['arm'] == 'crf'}

    def score(setting, folds):
        truth = np.repeat([0, 1], 10 * len(folds))
        errors = sum(wrong[fold][setting] for fold in folds)
        prediction = np.where(np.arange(len(truth)) < 10 * len(folds) + errors, 0, 1)
        return jaccard_score(truth, prediction, average='macro')

    for fold in wrong:
        others = [other for other in wrong if other != fold]
        best = max(range(3), key=lambda setting: score(setting, others))  # noqa: B023
        assert own[fold] == wrong[fold][best]


def test_heads_are_found_in_trainings_and_alone(tmp_path):
    training = tmp_path / 'fold_1_seed_2_lr_0.333'
    training.mkdir()
    alone = [tmp_path / f'{name}.pt' for name in ('fold_0_seed_0_lr_1', 'fold_2_seed_0', 'a')]
    for path in (training / 'iter_8.pth', *alone):
        torch.save({}, path)
    assert find_heads(tmp_path) == {
        (2, 0, 1.0): tmp_path / 'fold_2_seed_0.pt',
        (0, 0, 1.0): tmp_path / 'fold_0_seed_0_lr_1.pt',
        (1, 2, 0.333): training / 'iter_8.pth',
    }
