import pytest
from conftest import ROOT
from mmengine.config import Config

from mmseg_custom.experiment.named_parts import (
    add_options,
    part_names,
    read_part,
    set_augmentation,
)
from mmseg_custom.utils import UserError


def toy():
    return Config.fromfile(str(ROOT / 'configs' / 'upernet_swin_toy.py'))


def types(pipeline):
    return [transform.type for transform in pipeline]


def test_named_augmentations_take_the_place_of_the_others():
    cfg = toy()
    set_augmentation(cfg, 'resized_crop')
    assert types(cfg.train_dataloader.dataset.pipeline) == [
        'LoadTrashImage', 'LoadTrashAnnotations', 'RandomResizedCrop', 'RandomFlip',
        'PhotoMetricTables', 'PackSegInputs',
    ]  # fmt: skip
    set_augmentation(cfg, 'none')
    set_augmentation(cfg, 'base')
    assert cfg.train_dataloader.dataset.pipeline == toy().train_dataloader.dataset.pipeline
    assert cfg.val_dataloader == toy().val_dataloader


def test_copy_paste_and_loading_stay_in_wrapped_datasets():
    cfg = toy()
    leaf = cfg.train_dataloader.dataset
    leaf.pipeline = cfg.load
    mixed = dict(type='MultiImageMixDataset', dataset=dict(type='RepeatDataset', dataset=leaf))
    mixed['pipeline'] = [dict(type='CopyPaste'), dict(type='RandomFlip', prob=1.0), *cfg.pack]
    cfg.train_dataloader.dataset = mixed
    set_augmentation(cfg, 'none')
    dataset = cfg.train_dataloader.dataset
    assert types(dataset.pipeline) == ['CopyPaste', 'PackSegInputs']
    assert types(dataset.dataset.dataset.pipeline) == ['LoadTrashImage', 'LoadTrashAnnotations']


def test_every_file_holds_the_variable_of_its_name():
    names = part_names('augmentations')
    assert {'base', 'custom', 'none'} <= set(names)
    for name in names:
        assert isinstance(read_part('augmentations', name, f'{name}_augmentation'), list)


def test_options_are_merged_one_after_the_other_and_hooks_are_added():
    cfg = toy()
    add_options(cfg, ['ema', 'ranger', 'clip_grad', 'repeat_factor', 'swa'])
    assert cfg.custom_hooks[:-2] == toy().custom_hooks
    assert [hook['type'] for hook in cfg.custom_hooks[-2:]] == ['EMAHook', 'SWAHook']
    optimizer = dict(toy().optim_wrapper.optimizer, type='Lookahead', base='RectifiedAdam')
    assert cfg.optim_wrapper.optimizer == optimizer
    assert cfg.optim_wrapper.clip_grad == dict(max_norm=1.0)
    assert cfg.optim_wrapper.paramwise_cfg == toy().optim_wrapper.paramwise_cfg
    assert cfg.train_dataloader.sampler == dict(type='RepeatFactorSampler', threshold=0.1)
    assert cfg.train_dataloader.dataset == toy().train_dataloader.dataset


def test_mistakes_are_told():
    with pytest.raises(UserError, match="'warp' is none of the options: accumulate, bf16"):
        add_options(toy(), ['ema', 'warp'])
    with pytest.raises(UserError, match='none of the augmentations: base, custom'):
        set_augmentation(toy(), 'wild')
    cfg = toy()
    cfg.train_dataloader.dataset.pipeline = cfg.load
    with pytest.raises(UserError, match='no training pipeline ends with'):
        set_augmentation(cfg, 'base')
