import re

import pytest
from conftest import ROOT
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS
from narrow_zoo import narrow
from torch import nn

from mmseg_custom.utils import UserError

ADAM = dict(type='AdamW', lr=1.0, weight_decay=0.1)


class Model(nn.Module):
    """A backbone with a head behind it."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.decode_head = nn.Linear(2, 2)


def learning_rates(*args, **kwargs):
    return {name: rate for name, (rate, _) in rates(*args, **kwargs).items()}


def rates(model, constructor='LayerDecayOptimWrapperConstructor', **rules):
    cfg = dict(optimizer=ADAM, constructor=constructor, paramwise_cfg=rules)
    groups = build_optim_wrapper(model, cfg).optimizer.param_groups
    rate_of = {id(p): (g['lr'], g['weight_decay']) for g in groups for p in g['params']}
    return {name: rate_of[id(p)] for name, p in model.named_parameters()}


def test_beit_gets_the_rates_of_mmseg():
    size = dict(img_size=(32, 32), embed_dims=16, num_layers=4, num_heads=2, out_indices=[3])
    model = Model(MODELS.build(dict(type='BEiT', **size)))
    ours = rates(model, layer_decay=0.7, vector_decay_mult=0.0)
    theirs = rates(model, 'LearningRateDecayOptimizerConstructor', num_layers=4, decay_rate=0.7)
    # Their rule of tokens and positions names the parameters of a model without a backbone.
    tokens = {name for name in theirs if name.endswith(('cls_token', 'pos_embed'))}
    assert all(ours[name][1] == 0 for name in tokens)
    for place in (0, 1):
        same = ours.keys() - (tokens if place else set())
        assert {name: ours[name][place] for name in same} == pytest.approx(
            {name: theirs[name][place] for name in same}
        )
    assert len({rate for rate, _ in ours.values()}) == 6


def test_the_encoder_may_learn_more_slowly():
    model = hf_model('mask2former_swin_trash')
    found = rates(model, layer_decay=1.0, encoder_lr_mult=0.1, norm_decay_mult=0.0)
    for name, (rate, _) in found.items():
        assert rate == pytest.approx(0.1 if '.pixel_level_module.encoder.' in name else 1.0), name
    with pytest.raises(UserError, match='encoder_lr_mult is 0, not above 0'):
        rates(model, layer_decay=1.0, encoder_lr_mult=0)


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
        # 'norm' is one of the baseline's keys, and so are the biases of positions.
        assert decay == (0.0 if 'norm' in name or 'position_bias' in name else 0.1), name
    assert found['decode_head.conv_seg.weight'] == (1.0, 0.1)


class ConvNeXt(nn.Module):
    """The parameters of MMPretrain's, which MMSegmentation's constructor knows by their names."""

    def __init__(self, depths):
        super().__init__()
        self.downsample_layers = nn.ModuleList([nn.Linear(2, 2) for _ in depths])
        self.stages = nn.ModuleList(
            [nn.Sequential(*[nn.Linear(2, 2) for _ in range(depth)]) for depth in depths]
        )
        self.norm3 = nn.LayerNorm(2)


# The experiments of MMSegmentation for ConvNeXt-T and -B say 6 and 12 layers.
@pytest.mark.parametrize(('depths', 'layers'), [((3, 3, 9, 3), 6), ((3, 3, 27, 3), 12)])
def test_convnext_gets_the_rates_of_mmseg_stage_by_stage(depths, layers):
    timm = pytest.importorskip('timm')
    model = Model(ConvNeXt(depths))
    options = dict(num_layers=layers, decay_rate=0.9, decay_type='stage_wise')
    theirs = {
        n: r
        for n, (r, _) in rates(model, 'LearningRateDecayOptimizerConstructor', **options).items()
    }
    ours = learning_rates(model, layer_decay=0.9)
    assert ours == pytest.approx(theirs)
    if layers == 12:
        assert ours['backbone.downsample_layers.0.weight'] == pytest.approx(0.254, abs=5e-4)
    size = dict(depths=depths, dims=(4, 4, 4, 4), features_only=True)
    features = Model(timm.create_model('convnext_atto', **size))
    for name, (rate, _) in rates(features, layer_decay=0.9).items():
        stage = re.search(r'stages_(\d)\.(downsample|blocks\.(\d+))', name)
        if stage is None:
            same = 'downsample_layers.0' if 'stem' in name else None
        elif stage[2] == 'downsample':
            same = f'downsample_layers.{stage[1]}'
        else:
            same = f'stages.{stage[1]}.{stage[3]}'
        expected = theirs[f'backbone.{same}.weight'] if same else 1.0
        assert rate == pytest.approx(expected), name


def test_mae_gets_the_rates_of_mmseg():
    size = dict(img_size=(32, 32), embed_dims=16, num_layers=3, num_heads=2, out_indices=[2])
    model = Model(MODELS.build(dict(type='MAE', **size)))
    options = dict(num_layers=3, decay_rate=0.6)
    theirs = learning_rates(model, 'LearningRateDecayOptimizerConstructor', **options)
    assert learning_rates(model, layer_decay=0.6) == pytest.approx(theirs)


def eomts_own(names, blocks, decay):
    """The procedure of EoMT's ``configure_optimizers`` with its defaults, on its own names."""
    found, reached = {}, blocks
    for name in reversed(names):
        keys = name.split('.')
        is_block = 'blocks' in keys
        if is_block:
            reached = int(keys[keys.index('blocks') + 1])
        inside = name.startswith('encoder.backbone.')
        slower = inside and (is_block or reached == 0) and 'backbone.norm' not in name
        found[name] = decay ** (blocks - 1 - reached) if slower else 1.0
    return found


def hf_model(name):
    return MODELS.build(narrow(name).model)


def test_eomt_gets_the_rates_of_its_authors():
    pytest.importorskip('transformers')
    model = hf_model('eomt_dinov2_large_trash')
    parts = dict(
        embeddings='encoder.backbone.patch_embed', layers='encoder.backbone.blocks',
        layernorm='encoder.backbone.norm',
    )  # fmt: skip
    renamed = {}
    for name, _ in model.backbone.model.named_parameters():
        part, dot, rest = name.partition('.')
        renamed[name] = parts.get(part, part) + dot + rest
    # Modules are listed in the order of their use there.
    order = list(parts.values())
    names = sorted(
        renamed.values(),
        key=lambda n: next((i for i, p in enumerate(order) if n.startswith(p)), len(order)),
    )
    expected = eomts_own(names, 4, 0.5)
    found = rates(model, layer_decay=0.5)
    for name, theirs in renamed.items():
        assert found[f'backbone.model.{name}'][0] == pytest.approx(expected[theirs]), name
    assert {expected[n] for n in expected if 'blocks' in n} == {1.0, 0.5, 0.25, 0.125}
    assert found['backbone.model.query.weight'][0] == 1.0


def test_of_mask2former_the_encoder_alone_is_decayed():
    pytest.importorskip('transformers')
    found = rates(hf_model('mask2former_swin_trash'), layer_decay=0.5)
    inside = {n: r for n, (r, _) in found.items() if '.pixel_level_module.encoder.' in n}
    assert {r for n, (r, _) in found.items() if n not in inside} == {1.0}
    # Depths 1, 1, 1, 1 and three times a downsampling, the patches before them; norms at the end.
    assert {r for r in inside.values() if r != 1} == {0.5**n for n in range(1, 9)}
    assert all('norm' in n for n, r in inside.items() if r == 1)
    assert any('queries' in n for n in found)


@pytest.mark.parametrize(
    ('name', 'count'),
    [
        ('segformer_b0_trash', 9),  # four times patches and a block, the norms go with them
        ('hf_segformer_b0_trash', None),
        ('upernet_beit_base_trash', 6),
        ('dinov2_upernet_trash', None),
        ('laptop_efflite0_trash', None),
        ('upernet_convnext_tiny_trash', None),
        ('knet_swin_trash', None),
    ],
)
def test_heads_of_the_zoo_keep_their_rate_and_layers_have_several(name, count):
    model = hf_model(name)
    model.requires_grad_(True)
    found = learning_rates(model, layer_decay=0.5)
    assert all(rate == 1.0 for n, rate in found.items() if not n.startswith('backbone.'))
    assert all(rate == 1.0 for n, rate in found.items() if 'decode' in n)
    inside = {rate for n, rate in found.items() if n.startswith('backbone.')}
    assert len(inside) >= 4
    assert count is None or len(inside - {1.0}) in (count, count - 1)


@pytest.mark.parametrize('name', ['fcn_r50_trash', 'unet_s5_trash', 'unetplusplus_effb5_trash'])
def test_models_that_are_not_understood_are_refused(name):
    model = hf_model(name)
    with pytest.raises(UserError, match=r'layer_decay: the layers of \w+ are not understood'):
        rates(model, layer_decay=0.5)


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
    with pytest.raises(UserError, match='the layers of Linear are not understood'):
        rates(Model(nn.Linear(2, 2)), layer_decay=0.5)
