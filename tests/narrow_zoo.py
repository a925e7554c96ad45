"""The experiments of the zoo at reduced width, as quick as a test has to be."""

import copy

from conftest import ROOT
from mmengine.config import Config

from mmseg_custom.experiment.config import drop_pretrained

SIDE = 64

SWIN = dict(
    backbone=dict(embed_dims=16, depths=[1, 1, 1, 1], num_heads=[1, 2, 4, 8]),
    decode_head=dict(in_channels=[16, 32, 64, 128], channels=16),
    auxiliary_head=dict(in_channels=64, channels=8),
)
MIT = dict(
    backbone=dict(embed_dims=8, num_layers=[1, 1, 1, 1]),
    decode_head=dict(in_channels=[8, 16, 40, 64], channels=16),
)
RESNET = dict(
    backbone=dict(stem_channels=8, base_channels=8),
    decode_head=dict(in_channels=256, channels=16),
    auxiliary_head=dict(in_channels=128, channels=8),
)
FEATURES = dict(in_channels=[40, 80, 160, 320], channels=16)
TINY_VIT = dict(embed_dim=32, depth=4, num_heads=2)
NARROW = {
    'upernet_swin': SWIN,
    'segformer': MIT,
    'fcn': RESNET,
    'deeplabv3plus': RESNET
    | dict(decode_head=dict(in_channels=256, channels=16, c1_in_channels=32, c1_channels=8)),
    'fpn': dict(
        backbone=dict(stem_channels=8, base_channels=8),
        neck=dict(in_channels=[32, 64, 128, 256], out_channels=16),
        decode_head=dict(in_channels=[16] * 4, channels=16),
    ),
    'unet_': dict(
        backbone=dict(base_channels=8),
        decode_head=dict(in_channels=8, channels=8),
        auxiliary_head=dict(in_channels=16, channels=8),
    ),
    'unetplusplus': dict(backbone=dict(encoder='resnet18', decoder_channels=(16, 16, 8, 8, 8))),
    'upernet_convnext': dict(
        backbone=dict(model_name='convnext_atto'),
        decode_head=FEATURES,
        auxiliary_head=dict(in_channels=160, channels=8),
    ),
    'upernet_beit': dict(
        backbone=dict(img_size=SIDE, out_indices=(0, 1, 2, 3), **TINY_VIT),
        neck=dict(embed_dim=32),
        decode_head=dict(in_channels=[32] * 4, channels=16),
        auxiliary_head=dict(in_channels=32, channels=8),
    ),
    'linear': dict(
        backbone=dict(out_indices=(3,), **TINY_VIT), decode_head=dict(in_channels=32, channels=32)
    ),
    'dinov': dict(
        backbone=dict(out_indices=(0, 1, 2, 3), **TINY_VIT),
        neck=dict(embed_dim=32),
        decode_head=dict(in_channels=[32] * 4, channels=16),
    ),
    'hf_segformer': dict(
        backbone=dict(
            config=dict(hidden_sizes=[8, 16, 32, 64], depths=[1] * 4, decoder_hidden_size=16)
        )
    ),
    'mask2former': dict(
        backbone=dict(
            config=dict(
                backbone_config=dict(
                    embed_dim=8, depths=[1] * 4, num_heads=[1, 2, 4, 8], window_size=4
                ),
                **dict.fromkeys(('feature_size', 'mask_feature_size', 'hidden_dim'), 32),
                **dict.fromkeys(('encoder_feedforward_dim', 'dim_feedforward'), 16),
                encoder_layers=1,
                decoder_layers=2,
                num_attention_heads=2,
                num_queries=10,
                train_num_points=256,
            )
        )
    ),
    'eomt': dict(
        data_preprocessor=dict(size=(SIDE, SIDE), test_cfg=dict(size=(SIDE, SIDE))),
        backbone=dict(
            config=dict(
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=4,
                num_attention_heads=2,
                image_size=SIDE,
                patch_size=16,
                num_blocks=2,
                num_queries=10,
                num_upscale_blocks=1,
                train_num_points=256,
            )
        ),
    ),
    'laptop': {},
}


def narrow_knet(model):
    model.backbone.update(SWIN['backbone'])
    model.auxiliary_head.update(SWIN['auxiliary_head'])
    head = model.decode_head
    head.kernel_generate_head.update(SWIN['decode_head'])
    update = copy.deepcopy(head.kernel_update_head[0])
    update.update(in_channels=16, out_channels=16, feedforward_channels=16, num_heads=2)
    update.kernel_updator_cfg.update(in_channels=8, feat_channels=8, out_channels=8)
    head.kernel_update_head = [update] * head.num_stages


def narrow_ocrnet(model):
    widths = [4, 8, 16, 32]
    for stage, count in (('stage2', 2), ('stage3', 3), ('stage4', 4)):
        model.backbone.extra[stage].num_channels = widths[:count]
        model.backbone.extra[stage].num_modules = 1
    coarse, fine = model.decode_head
    coarse.update(in_channels=widths, channels=sum(widths))
    fine.update(in_channels=widths, channels=16, ocr_channels=8)


def config_of(name):
    cfg = Config.fromfile(str(ROOT / 'configs' / f'{name}.py'))
    drop_pretrained(cfg.model)
    return cfg


def narrow(name):
    cfg = config_of(name)
    if name.startswith('knet'):
        narrow_knet(cfg.model)
    elif name.startswith('ocrnet'):
        narrow_ocrnet(cfg.model)
    else:
        family = 'linear' if '_linear' in name else None
        family = family or next(family for family in NARROW if name.startswith(family))
        cfg.merge_from_dict(dict(model=NARROW[family]))
    return cfg
