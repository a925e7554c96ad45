import pytest
from conftest import ROOT
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS
from torch import nn

from mmseg_custom.optim.layer_decay_optim_wrapper_constructor import layers_from_the_end
from mmseg_custom.utils import UserError

ADAM = dict(type='AdamW', lr=1.0, weight_decay=0.1)


class Model(nn.Module):
    """A backbone with a head behind it."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.decode_head = nn.Linear(2, 2)


def rates(model, constructor='LayerDecayOptimWrapperConstructor', **rules):
    cfg = dict(optimizer=ADAM, constructor=constructor, paramwise_cfg=rules)
    groups = build_optim_wrapper(model, cfg).optimizer.param_groups
    rate_of = {id(p): (g['lr'], g['weight_decay']) for g in groups for p in g['params']}
    return {name: rate_of[id(p)] for name, p in model.named_parameters()}


def test_beit_gets_the_rates_of_mmseg():
    size = dict(img_size=(32, 32), embed_dims=16, num_layers=4, num_heads=2, out_indices=[3])
    model = Model(MODELS.build(dict(type='BEiT', **size)))
    ours = rates(model, layer_decay=0.7)
    theirs = rates(model, 'LearningRateDecayOptimizerConstructor', num_layers=4, decay_rate=0.7)
    assert {name: rate for name, (rate, _) in ours.items()} == pytest.approx(
        {name: rate for name, (rate, _) in theirs.items()}
    )
    assert len({rate for rate, _ in ours.values()}) == 6


def test_a_vit_of_timm_gets_the_rates_of_timm():
    timm = pytest.importorskip('timm')
    from timm.optim import param_groups_layer_decay

    size = dict(depth=3, embed_dim=16, num_heads=2, img_size=32, num_classes=2)
    model = Model(timm.create_model('vit_tiny_patch16_224', **size))
    ours = rates(model, layer_decay=0.5)
    groups = param_groups_layer_decay(model.backbone, layer_decay=0.5)
    theirs = {id(p): group['lr_scale'] for group in groups for p in group['params']}
    for name, param in model.backbone.named_parameters():
        # timm counts the last norm to the last block; BEiT's authors, and we, to the head.
        if name.startswith('norm'):
            continue
        assert ours[f'backbone.{name}'][0] == pytest.approx(theirs[id(param)]), name


def test_the_layers_of_swin_in_their_order_and_the_rules_of_the_recipe():
    cfg = Config.fromfile(str(ROOT / 'configs' / 'upernet_swin_toy.py'))
    found = rates(MODELS.build(cfg.model), **cfg.optim_wrapper.paramwise_cfg, layer_decay=0.5)
    # Depths 1, 1, 2, 1 and three times a downsampling.
    order = ['stages.3.blocks.0', 'stages.2.downsample', 'stages.2.blocks.1', 'stages.2.blocks.0']
    order += ['stages.1.downsample', 'stages.1.blocks.0', 'stages.0.downsample']
    order += ['stages.0.blocks.0', 'patch_embed']
    for name, (rate, decay) in found.items():
        layers = [n for n, layer in enumerate(order, 1) if name.startswith(f'backbone.{layer}.')]
        assert rate == 0.5 ** sum(layers), name
        # 'norm' is one of the recipe's keys, and so are the biases of positions.
        assert decay == (0.0 if 'norm' in name or 'position_bias' in name else 0.1), name
    assert found['decode_head.conv_seg.weight'] == (1.0, 0.1)


@pytest.mark.parametrize(
    ('names', 'exponents'),
    [
        # ConvNeXt, Hugging Face, SegFormer (a stage is a layer there), a feature of timm
        (['downsample.0.w', 'stages.0.0.w', 'stages.0.1.w', 'norm3.w'], [3, 2, 1, 0]),
        (['embeddings.cls', 'encoder.layer.0.mlp.w', 'encoder.layer.1.mlp.w'], [3, 2, 1]),
        (['layers.0.0.w', 'layers.0.1.0.ffn.layers.0.w', 'layers.0.1.1.w'], [2, 1, 1]),
        (['timm_model.stages.0.blocks.0.w', 'timm_model.stages.0.blocks.1.w'], [2, 1]),
        (['layers.0.ffn.layers.0.0.w', 'between.w', 'layers.1.ffn.layers.0.0.w'], [2, 2, 1]),
    ],
)
def test_layers_are_found_by_their_names(names, exponents):
    names = [f'backbone.{name}' for name in names]
    found = layers_from_the_end([*names, 'decode_head.layers.0.w'])
    assert list(found.values()) == [*exponents, 0]


def test_frozen_weights_are_left_out():
    model = Model(nn.Sequential())
    model.backbone.blocks = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    model.backbone.blocks[0].requires_grad_(False)
    cfg = dict(optimizer=ADAM, constructor='LayerDecayOptimWrapperConstructor')
    wrapper = build_optim_wrapper(model, cfg | dict(paramwise_cfg=dict(layer_decay=0.5)))
    assert [group['lr'] for group in wrapper.optimizer.param_groups] == [0.5, 0.5, 1.0, 1.0]


def test_mistakes_are_told():
    with pytest.raises(UserError, match='layer_decay is None, not a number'):
        rates(Model(nn.Linear(2, 2)), norm_decay_mult=0.0)
    with pytest.raises(UserError, match='the backbone has no numbered blocks'):
        rates(Model(nn.Linear(2, 2)), layer_decay=0.5)
