"""Every experiment of the zoo trains at reduced width, and at full width has its published size."""

import copy

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_custom.experiment.config import drop_pretrained

NAMES = sorted(path.stem for path in (ROOT / 'configs').glob('*_trash.py'))
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
    'dinov2_linear': dict(
        backbone=dict(out_indices=(3,), **TINY_VIT), decode_head=dict(in_channels=32, channels=32)
    ),
    'dinov2_upernet': dict(
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
            )
        )
    ),
    'eomt': dict(
        data_preprocessor=dict(size=(SIDE, SIDE), test_cfg=dict(size=(SIDE, SIDE))),
        backbone=dict(
            config=dict(
                hidden_size=32,
                num_hidden_layers=4,
                num_attention_heads=2,
                image_size=SIDE,
                patch_size=16,
                num_blocks=2,
                num_queries=10,
                num_upscale_blocks=1,
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
        (family,) = [family for family in NARROW if name.startswith(family)]
        cfg.merge_from_dict(dict(model=NARROW[family]))
    return cfg


def batch():
    samples = []
    for seed in range(2):
        torch.manual_seed(seed)
        sample = SegDataSample()
        sample.set_metainfo(dict(img_shape=(SIDE, SIDE), ori_shape=(SIDE, SIDE)))
        labels = torch.randint(0, 11, (1, SIDE, SIDE))
        labels[:, :8] = 255
        sample.gt_sem_seg = PixelData(data=labels)
        samples.append(sample)
    inputs = [torch.randint(0, 256, (3, SIDE, SIDE), dtype=torch.uint8) for _ in range(2)]
    return dict(inputs=inputs, data_samples=samples)


@pytest.mark.parametrize('name', NAMES)
def test_it_trains_and_predicts_at_reduced_width(name):
    cfg = narrow(name)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    cfg.optim_wrapper.type = 'OptimWrapper'
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    model.train()
    before = {key: value.clone() for key, value in model.named_parameters()}
    for _ in range(2):
        log = model.train_step(copy.deepcopy(batch()), wrapper)
        assert torch.isfinite(log['loss'])
    moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
    assert any('decode_head' in key or 'backbone.model' in key for key in moved)
    frozen = cfg.model.backbone.get('frozen', False)
    assert any(key.startswith('backbone') for key in moved) != frozen
    model.eval()
    with torch.no_grad():
        results = model.test_step(copy.deepcopy(batch()))
    assert results[0].seg_logits.data.shape == (11, SIDE, SIDE)
    assert set(results[1].pred_sem_seg.data.unique().tolist()) <= set(range(11))


# Millions, with 150 classes (ADE20K). SegFormer, FCN, DeepLabV3+, OCRNet: Table 2 of Xie et al.,
# NeurIPS 2021. Semantic FPN: Table 5 of Wang et al., "PVT", ICCV 2021. K-Net: Table 5 of Zhang et
# al., NeurIPS 2021. Mask2Former: Table 3 of Cheng et al., CVPR 2022. ConvNeXt with UPerNet: Table 4
# of Liu et al., CVPR 2022.
PUBLISHED = {
    'segformer_b0': 3.8,
    'segformer_b1': 13.7,
    'segformer_b2': 27.5,
    'segformer_b3': 47.3,
    'segformer_b4': 64.1,
    'segformer_b5': 84.7,
    'fcn_r101': 68.6,
    'deeplabv3plus_r101': 62.7,
    'ocrnet_hr48': 70.5,
    'fpn_r50': 28.5,
    'knet_swin': 73,
    'mask2former_swin': 47,
    'upernet_convnext_tiny': 60,
    'upernet_convnext_base': 122,
    'hf_segformer_b0': 3.8,
}


@pytest.mark.parametrize('name', PUBLISHED)
def test_parameter_counts_are_the_published_ones(name):
    model = MODELS.build(config_of(f'{name}_trash').model)
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    # The published models have 150 classes; each classifier has its head's channels as inputs.
    inputs = [m.in_channels for key, m in model.named_modules() if key.endswith('conv_seg')]
    if name.startswith('hf_'):
        inputs = [model.backbone.model.config.decoder_hidden_size]
    assert millions + 139 * sum(inputs) / 1e6 == pytest.approx(PUBLISHED[name], rel=0.02)


def test_unetplusplus_is_the_teams():
    model = MODELS.build(config_of('unetplusplus_effb5_trash').model)
    smp = pytest.importorskip('segmentation_models_pytorch')
    theirs = smp.UnetPlusPlus('efficientnet-b5', encoder_weights=None, classes=11)
    ours = {key: value.shape for key, value in model.backbone.model.state_dict().items()}
    assert ours == {key: value.shape for key, value in theirs.state_dict().items()}
