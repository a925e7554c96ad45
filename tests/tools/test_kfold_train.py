import json
import shlex

import numpy as np
import pytest
from conftest import ROOT, call_tool, tool
from sklearn.metrics import confusion_matrix

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.runs.out_of_fold import out_of_fold
from mmseg_custom.runs.trials import Trial
from mmseg_custom.utils import UserError

TOOL = 'tools/kfold_train.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


def test_out_of_fold_scores_and_the_commands_that_follow(toy_set, tmp_path, capsys):
    folds, out = tmp_path / 'folds', tmp_path / 'out'
    tool('data_prep/stratified_kfold.py', toy_set / 'val.json', '--folds', 2, '--out', folds)
    arguments = [TOY, '--folds-dir', folds, '--data-root', toy_set, '--out', out]
    arguments += ['--train-args', '--epochs', 1, '--batch-size', 2]
    done = tool(TOOL, *arguments)
    measured = json.loads((out / 'kfold.json').read_text())
    truth, found = [], []
    for fold, model in enumerate(measured['models']):
        segmenter = TrashSegmenter(model['checkpoint'], device='cpu')
        for sample in labelled_samples(
            folds / f'kfold_{fold}_val.json', segmenter.classes, toy_set
        ):
            truth.append(sample_mask(sample, ROOT, segmenter.classes).ravel())
            found.append(segmenter(sample['img_path']).mask.ravel())
    assert len(truth) == 7
    labels = range(len(segmenter.classes))
    expected = confusion_matrix(np.concatenate(truth), np.concatenate(found), labels=labels)
    # Batches of another size give other last digits, which decide a few pixels.
    assert abs(expected - np.array(measured['confusion_matrix'])).sum() <= 1e-3 * expected.sum()
    assert f'all photos together: mIoU {measured["mIoU"]:.2f}' in done.stdout

    again = tool(TOOL, *arguments)
    assert again.stdout == done.stdout

    (predict,) = [line for line in done.stdout.splitlines() if ' ensemble predict ' in line]
    words = shlex.split(predict.replace('PHOTOS', str(toy_set / 'test.json')))
    call_tool(capsys, 'tools/ensemble.py', *words[2:])
    assert len(list((out / 'predicted' / 'masks').rglob('*.png'))) == 3


def test_mistakes_are_one_line(tmp_path, capsys):
    done = call_tool(capsys, TOOL, TOY, '--folds-dir', tmp_path, code=2)
    assert 'has no kfold_0_val.json' in done.err


@pytest.mark.parametrize('finished', [True, False])
def test_what_is_missing_is_named(finished, tmp_path):
    trial = Trial('a.py', 0, 0, tmp_path)
    if finished:
        (tmp_path / 'val').mkdir()
        (tmp_path / 'val' / 'iter_000002.json').write_text('{"iter": 2, "max_iters": 2}')
    with pytest.raises(UserError, match='iter_2.pth' if finished else 'is not finished'):
        out_of_fold([trial])
