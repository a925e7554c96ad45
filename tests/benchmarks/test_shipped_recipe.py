"""The comparison that the settings of the shipped model were chosen by."""

import argparse
import json
import re
import runpy

import pytest
from conftest import ROOT

from benchmarks.shipped_recipe import CANDIDATES, folder_of, scores_of_folds, training
from mmseg_custom.experiment.build import build_experiment


def built(name, folder):
    args = argparse.Namespace(iterations=7, amp=False)
    parser = runpy.run_path(str(ROOT / 'tools/train.py'))['build_parser']()
    return build_experiment(
        parser.parse_args(training(name, 1, folder, folder_of(folder, 1, name), args))
    )


@pytest.mark.parametrize('name', CANDIDATES)
def test_a_candidate_is_what_its_name_says(name, tmp_path):
    cfg = built(name, tmp_path)
    crop, contest = map(int, re.match(r'crops of (\d+), (\d) of 8', name).groups())
    loader = cfg.train_dataloader
    assert loader.sampler.source_ratio == [contest, 8 - contest]
    for part, source in zip(loader.dataset.datasets, ('contest', 'garbage6'), strict=True):
        (cropping,) = [step for step in part.pipeline if step.type == 'RandomScaleCrop']
        assert cropping.size == (crop, crop)
        assert part.dataset.data_root == f'{tmp_path / source}/'
        assert part.dataset.ann_file == 'kfold_1_train.json'
    averaged = any(hook['type'] == 'EMAHook' for hook in cfg.custom_hooks)
    assert averaged == name.endswith('average')
    assert cfg.train_cfg.max_iters == cfg.param_scheduler[-1].end == 7


def test_the_last_candidate_is_the_shipped_config(tmp_path):
    from mmengine.config import Config

    pipelines = [
        [part.pipeline for part in cfg.train_dataloader.dataset.datasets]
        for cfg in (
            built(list(CANDIDATES)[-1], tmp_path),
            Config.fromfile(ROOT / 'configs/laptop_efflite0_joined.py'),
        )
    ]
    assert pipelines[0] == pipelines[1]


def test_scores_are_in_the_order_of_their_means(tmp_path):
    first, second, *others = CANDIDATES
    for fold in range(2):
        for name, value in ((first, 10), (second, 20 + fold)):
            one = dict(mIoU=value, foreground_IoU=value + 1)
            folder = folder_of(tmp_path, fold, name)
            folder.mkdir(parents=True)
            content = {str(size): {'a.json': one, 'b.json': one} for size in (320, 256, 416)}
            (folder / 'scores.json').write_text(json.dumps(content))
    folder_of(tmp_path, 0, others[0]).mkdir(parents=True)
    found = scores_of_folds(tmp_path, 2)
    assert [name.rpartition(' @ ')[0] for name in found] == [second] * 3 + [first] * 3
    assert found[f'{second} @ 256'] == {
        'contest mIoU': [20, 21],
        'contest foreground IoU': [21, 22],
        'garbage6 mIoU': [20, 21],
    }
