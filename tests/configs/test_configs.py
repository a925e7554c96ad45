"""Every config loads, is short, repeats nothing, and builds the model it names."""

import ast
from pathlib import Path

import pytest
from conftest import ROOT
from mmengine.config import Config
from mmseg.registry import MODELS

from mmseg_custom.experiment.config import load_config

CONFIGS = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)
BASES = sorted((ROOT / 'configs' / '_base_').rglob('*.py'))
# UPerNet's published sizes on 512x512 (Swin Transformer, model zoo), in millions
PUBLISHED = {'upernet_swin': 60, 'upernet_swin_base': 121, 'upernet_swin_large': 234}


def names(paths):
    return [path.stem for path in paths]


def heads_of(config):
    """Every head in a part of a model's config, also those inside of a head or a list."""
    if isinstance(config, list):
        for item in config:
            yield from heads_of(item)
    elif isinstance(config, dict):
        if str(config.get('type')).endswith('Head'):
            yield config
        for value in config.values():
            yield from heads_of(value)


@pytest.mark.parametrize('path', CONFIGS, ids=names(CONFIGS))
def test_a_whole_experiment(path):
    cfg = Config.fromfile(str(path))
    model = cfg.model.get('segmentor', cfg.model)
    heads = list(heads_of(model.decode_head)) + list(heads_of(model.get('auxiliary_head')))
    assert heads
    has_own_loss = model.type == 'HFQuerySegmentor'
    assert has_own_loss or any('loss_decode' in head for head in heads)
    losses = [head.loss_decode for head in heads if 'loss_decode' in head]
    # MMSegmentation's own counts ignored pixels, or fails with class weights.
    assert all(loss.type != 'CrossEntropyLoss' for loss in losses)
    assert all(loss.get('avg_non_ignore', True) for loss in losses)
    assert cfg.param_scheduler[-1].end == cfg.train_cfg.max_iters
    assert cfg.default_hooks.checkpoint.save_best == 'mIoU'
    assert [b.type for b in cfg.vis_backends] == ['LocalVisBackend', 'TensorboardVisBackend']
    assert cfg.custom_imports.imports == ['mmseg_custom.plugins']
    assert Config.fromstring(cfg.pretty_text, '.py').model == cfg.model


@pytest.mark.parametrize('path', CONFIGS, ids=names(CONFIGS))
def test_the_commands_take_it(path, capsys):
    # What a config says without an effect is refused.
    cfg = load_config(str(path))
    assert cfg.train_cfg.max_iters == Config.fromfile(str(path)).train_cfg.max_iters


@pytest.mark.parametrize('name', PUBLISHED)
def test_parameter_counts_are_the_published_ones(name):
    cfg = Config.fromfile(str(ROOT / 'configs' / f'{name}_trash.py'))
    model = MODELS.build(cfg.model)
    # The published models have 150 classes; two classifiers of 512 and 256 channels.
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    assert millions + (150 - 11) * (512 + 256) / 1e6 == pytest.approx(PUBLISHED[name], rel=0.02)


def test_weights_come_from_their_public_place():
    for name in PUBLISHED:
        cfg = Config.fromfile(str(ROOT / 'configs' / f'{name}_trash.py'))
        url = cfg.model.backbone.init_cfg.checkpoint
        assert url.startswith('https://mmassets.onedl.ai/mmsegmentation/v0.5/pretrain/swin/swin_')


def test_the_toy_is_the_recipe_with_other_data_widths_and_iterations():
    trash, toy = (
        Config.fromfile(str(ROOT / 'configs' / f'upernet_swin_{n}.py')) for n in ('trash', 'toy')
    )
    assert toy.train_pipeline == trash.train_pipeline
    assert toy.val_dataloader.dataset.pipeline == trash.val_dataloader.dataset.pipeline
    assert toy.model.decode_head.loss_decode == trash.model.decode_head.loss_decode
    assert toy.optim_wrapper.paramwise_cfg == trash.optim_wrapper.paramwise_cfg
    assert toy.model.backbone.type == trash.model.backbone.type


@pytest.mark.parametrize('path', CONFIGS + BASES, ids=names(CONFIGS + BASES))
def test_an_experiment_is_short(path: Path):
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) <= (75 if path in BASES else 25)


def test_no_file_repeats_a_pipeline():
    """No two lists of transforms in all configs share three transforms in a row."""
    seen = {}
    for path in CONFIGS + BASES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.List):
                continue
            name = ast.unparse(node.targets[0])
            if 'pipeline' in name or 'augmentation' in name or name in ('load', 'pack'):
                transforms = [ast.unparse(inner) for inner in node.value.elts]
                for place in range(len(transforms) - 2):
                    run = tuple(transforms[place : place + 3])
                    assert run not in seen, (run, path, seen.get(run))
                    seen[run] = path
    assert seen
