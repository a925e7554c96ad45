"""What a config calls pretrained is loaded, or refused: files of the right names and shapes."""

import copy
import re

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmseg.registry import MODELS
from narrow_zoo import narrow

from mmseg_custom.models.backbones import HFModel, SMPModel, TimmFeatures
from mmseg_custom.utils import UserError

NAMES = sorted(path.stem for path in (ROOT / 'configs').glob('*_trash.py'))
# Their files are in packages of the registry; tests/…/test_packaged_features.py reads them.
NAMES = [name for name in NAMES if not name.startswith('laptop')]
FROM_SCRATCH = {'unet_s5_trash'}


def shipped(name):
    """Return the backbone's config as it is shipped."""
    return Config.fromfile(str(ROOT / 'configs' / f'{name}.py')).model.backbone


def stand_in(name, folder, monkeypatch, change=lambda weights: None):
    """Return a model config of reduced width, and the weights of the file that it names."""
    cfg = narrow(name).model
    torch.manual_seed(7)
    source = MODELS.build(cfg).backbone
    with torch.no_grad():
        for param in source.parameters():
            param.uniform_(-1, 1)
    backbone = cfg.backbone
    if backbone.type == 'HFModel':
        weights = dict(source.model.state_dict())
        if backbone.get('new'):
            weights = {k: v for k, v in weights.items() if not k.startswith(tuple(backbone.new))}
        change(weights)
        source.model.save_pretrained(folder, state_dict=weights)
        backbone.pretrained = str(folder)
    elif backbone.type == 'SMPModel':
        from segmentation_models_pytorch import encoders

        weights = dict(source.model.encoder.state_dict())
        change(weights)
        real = encoders.get_encoder

        def get_encoder(*args, weights=None, **kwargs):
            encoder = real(*args, weights=None, **kwargs)
            encoder.load_state_dict(stored, strict=False)
            return encoder

        stored = weights
        monkeypatch.setattr(encoders, 'get_encoder', get_encoder)
        backbone.pretrained = 'imagenet'
    elif backbone.type == 'TimmFeatures':
        import timm

        ours = 'type', 'pretrained', 'out_indices', 'out_norm', 'final_norm', 'frozen', 'init_cfg'
        full = timm.create_model(**{k: v for k, v in backbone.items() if k not in ours})
        for param in full.parameters():
            torch.nn.init.uniform_(param, -1, 1)
        weights = full.state_dict()
        change(weights)
        torch.save(weights, folder / 'weights.pth')
        overlay = dict(file=str(folder / 'weights.pth'))
        backbone.update(pretrained=True, pretrained_cfg_overlay=overlay)
    else:
        # Files of classifiers have no norms of outputs.
        weights = {k: v for k, v in source.state_dict().items() if not re.match(r'norm[0-3]\.', k)}
        change(weights)
        torch.save(weights, folder / 'weights.pth')
        backbone.init_cfg = dict(type='Pretrained', checkpoint=str(folder / 'weights.pth'))
    return cfg, {k: v for k, v in weights.items() if v.is_floating_point()}


def loaded(model):
    """Return the values that were loaded, by their names in the file."""
    backbone = model.backbone
    if isinstance(backbone, TimmFeatures):
        # timm's features call them stages_0.blocks.1 and model.blocks.1.
        return {
            re.sub(r'^model\.', '', re.sub(r'^(stem|stages)_', r'\1.', name)): value
            for name, value in backbone.features.state_dict().items()
        }
    if isinstance(backbone, SMPModel):
        return backbone.model.encoder.state_dict()
    return (backbone.model if isinstance(backbone, HFModel) else backbone).state_dict()


@pytest.mark.parametrize('name', NAMES)
def test_all_weights_of_the_file_are_in_the_model(name, tmp_path, monkeypatch):
    config = shipped(name)
    pretrained = config.get('pretrained') or (config.get('init_cfg') or {}).get('checkpoint')
    assert bool(pretrained) == (name not in FROM_SCRATCH)
    if not pretrained:
        return
    cfg, weights = stand_in(name, tmp_path, monkeypatch)
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg))
    model.init_weights()
    found = loaded(model)
    # What classifies is not part of a backbone.
    missing = {key.partition('.')[0] for key in weights.keys() - found.keys()}
    assert missing <= {'head', 'norm', 'fc_norm'}
    different = {k for k in weights.keys() & found.keys() if not found[k].equal(weights[k])}
    assert different == set()
    assert len(found) >= len(weights) - 4


@pytest.mark.parametrize(
    'name',
    [
        'mask2former_swin_trash',
        'upernet_convnext_tiny_trash',
        'upernet_swin_trash',
        'fcn_r50_trash',
        'unetplusplus_effb5_trash',
    ],
)
def test_weights_that_lack_a_layer_are_refused(name, tmp_path, monkeypatch):
    def change(weights):
        (gone,) = [k for k, v in weights.items() if v.ndim > 1 and 'relative' not in k][5:6]
        del weights[gone]

    cfg, _ = stand_in(name, tmp_path, monkeypatch, change)
    with pytest.raises(UserError, match=r'do not fit the model: 1 of \d+ parameters'):
        MODELS.build(cfg).init_weights()


def test_only_the_classifier_may_have_another_size(tmp_path, monkeypatch):
    cfg, _ = stand_in('mask2former_swin_trash', tmp_path, monkeypatch)
    other = copy.deepcopy(cfg)
    other.num_classes = 3
    lines = []
    monkeypatch.setattr(
        'mmseg_custom.checkpoints.loading_report.print_log', lambda text, _: lines.append(text)
    )
    MODELS.build(other).init_weights()
    assert len(lines) == 1 and lines[0].endswith('; new: class_predictor'), lines
    cfg.backbone.config.num_queries = 7
    with pytest.raises(UserError, match='queries'):
        MODELS.build(cfg).init_weights()
