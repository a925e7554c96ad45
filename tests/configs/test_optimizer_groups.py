"""Rates and weight decay of all experiments are those of their sources."""

import re

import pytest
from conftest import ROOT
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS
from narrow_zoo import narrow

NAMES = sorted(path.stem for path in (ROOT / 'configs').glob('*_trash.py'))
# Rules (pattern of the parameter's name, rate, weight decay); the first that is found holds.
# MMSegmentation's configs of Swin, K-Net, SegFormer, Mask2Former, and its schedules of SGD; EoMT's
# train.yaml; what this project decides itself: DINOv2, UNet++, the laptop's model.
NO_DECAY = r'norm|relative_position_bias_table|absolute_pos_embed'
SWIN = [(NO_DECAY, 6e-5, 0), ('', 6e-5, 0.01)]
SEGFORMER = [('decode_head', 6e-4, 0.01), ('norm', 6e-5, 0), ('', 6e-5, 0.01)]
MASK2FORMER = [
    (rf'pixel_level_module\.encoder.*({NO_DECAY})', 1e-5, 0),
    (r'pixel_level_module\.encoder', 1e-5, 0.05),
    # GroupNorm has no name of its own in the pixel decoder: it is number 1.
    (rf'{NO_DECAY}|queries_|level_embed|(projections\.\d|adapter_\d|layer_\d)\.1\.', 1e-4, 0),
    ('', 1e-4, 0.05),
]
# 4 layers, and the last 4 are 2 here; layer decay 0.8 from the last layer.
EOMT = [
    (r'\.embeddings\.', 1e-4 * 0.8**3, 0.05),
    *((rf'\.layers\.{n}\.', 1e-4 * 0.8 ** (3 - n), 0.05) for n in range(4)),
    ('', 1e-4, 0.05),
]
# EoMT's configs/dinov3/ade20k/semantic/eomt_large_512.yaml: lr 2e-4, lr_mult 0.1, llrd 1.
EOMT_DINOV3 = [(r'model\.(embeddings|layers|layernorm)\.', 2e-5, 0.05), ('', 2e-4, 0.05)]
# UniMatch V2's labeled-only training: lr 5e-6, lr_multi 40, weight decay 0.01.
FINETUNED = [('decode_head|neck', 2e-4, 0.01), ('', 5e-6, 0.01)]
SGD = [('', 0.01, 0.0005)]
NAMES_FINETUNED = [name for name in NAMES if '_finetuned' in name]
TABLE = {
    'upernet_swin': SWIN,
    'knet': [(pattern, rate, decay / 20) for pattern, rate, decay in SWIN],
    'segformer': SEGFORMER,
    'hf_segformer': SEGFORMER,
    'mask2former': MASK2FORMER,
    'eomt_dinov3': EOMT_DINOV3,
    'eomt_dinov2': EOMT,
    **dict.fromkeys(('fcn', 'deeplabv3plus', 'fpn', 'ocrnet', 'unet_'), SGD),
    **dict.fromkeys(NAMES_FINETUNED, FINETUNED),
    'dinov': [('', 1e-3, 0.01)],
    'unetplusplus': [('', 3e-4, 0.01)],
    'laptop': [
        ('decode_head', 5e-3, 0.01),
        (r'bn\d?\.', 5e-4, 0),
        ('', 5e-4, 0.01),
    ],
}
# The rate of the decoder and the layer decay; the constructor's own test has the layers. Both as
# MMSegmentation's constructor: vectors do not decay.
LAYER_DECAY = {
    'upernet_beit_base': (3e-5, 0.9),
    'upernet_beit_large': (2e-5, 0.95),
    'upernet_convnext': (1e-4, 0.9),
}


def groups_of(name):
    cfg = narrow(name)
    model = MODELS.build(cfg.model)
    cfg.optim_wrapper.type = 'OptimWrapper'
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    found = {}
    for group in groups:
        for param in group['params']:
            assert id(param) not in found, 'in two groups'
            found[id(param)] = group['lr'], group['weight_decay']
    named = {name: param for name, param in model.named_parameters() if param.requires_grad}
    assert {id(param) for param in named.values()} == found.keys()
    return {name: (param, *found[id(param)]) for name, param in named.items()}


@pytest.mark.parametrize('name', NAMES)
def test_each_parameter_has_the_rate_and_decay_of_the_source(name):
    found = groups_of(name)
    families = [family for family in TABLE if name.startswith(family)]
    if families:
        rules = TABLE[families[0]]
        for parameter, (_, rate, decay) in found.items():
            _, expected, expected_decay = next(r for r in rules if re.search(r[0], parameter))
            assert rate == pytest.approx(expected), parameter
            assert decay == pytest.approx(expected_decay), parameter
        return
    (family,) = [family for family in LAYER_DECAY if name.startswith(family)]
    base, step = LAYER_DECAY[family]
    for parameter, (values, rate, decay) in found.items():
        exempt = values.ndim == 1 or parameter.endswith(('cls_token', 'pos_embed'))
        assert decay == (0 if exempt else 0.05), parameter
        if not parameter.startswith('backbone.') or 'norms.' in parameter:
            assert rate == pytest.approx(base), parameter
        else:
            assert any(rate == pytest.approx(base * step**n) for n in range(27)), parameter
    assert min(rate for _, rate, _ in found.values()) < base * step**4
