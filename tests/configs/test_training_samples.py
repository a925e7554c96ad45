"""A sample follows from its seed alone: a worker of a resumed run makes what the first one made."""

import random

import numpy as np
import pytest
import torch
from conftest import ROOT
from mmseg.registry import DATASETS

from mmseg_custom.experiment.config import load_config, set_options
from mmseg_custom.experiment.named_parts import set_augmentation
from mmseg_custom.utils.seeding import SeededIndex
from mmseg_custom.utils.shared import part_names


@pytest.mark.parametrize('name', part_names('augmentations'))
@pytest.mark.parametrize('config', ['upernet_swin_toy', 'ablation/copy_paste'])
def test_a_fresh_worker_makes_the_samples_of_one_that_made_others_before(config, name, toy_set):
    cfg = load_config(str(ROOT / 'configs' / f'{config}.py'))
    set_options(cfg, data_root=str(toy_set))
    set_augmentation(cfg, name)

    def drawn(dataset, place):
        sample = dataset[SeededIndex(place % len(dataset), (1, place))]
        pixels, label = sample['inputs'], sample['data_samples'].gt_sem_seg.data
        numbers = random.random(), np.random.random(), float(torch.rand(1))
        return pixels.numpy().tobytes(), label.numpy().tobytes(), numbers

    warm = DATASETS.build(cfg.train_dataloader.dataset)
    for place in range(5):
        fresh = DATASETS.build(cfg.train_dataloader.dataset)
        assert drawn(fresh, place) == drawn(warm, place)
