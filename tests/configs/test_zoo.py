"""Every experiment of the zoo trains at reduced width, and at full width has its published size."""

import copy

import pytest
import torch
from conftest import ROOT
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from narrow_zoo import SIDE, config_of, narrow

NAMES = sorted(path.stem for path in (ROOT / 'configs').glob('*_trash.py'))


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
