"""Every experiment of the zoo exports, at reduced width, and gives what PyTorch gives."""

import numpy as np
import pytest
import torch
from conftest import REAL, ROOT
from mmseg.registry import MODELS
from narrow_zoo import narrow

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.apis.export import export_onnx, sizes_for
from mmseg_custom.apis.onnx_segmenter import OnnxSegmenter
from mmseg_custom.apis.parity import compare, random_photos

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

# One of each architecture; sizes of the same differ in numbers only. tests/mmseg_custom/apis has
# UPerNet-Swin, SegFormer and UNet++.
NAMES = [
    'deeplabv3plus_r50_trash',
    'dinov2_linear_trash',
    'dinov2_upernet_trash',
    'dinov3_small_linear_trash',
    'eomt_dinov2_large_trash',
    'eomt_dinov3_small_trash',
    'fcn_r50_trash',
    'fpn_r50_trash',
    'hf_segformer_b0_trash',
    'knet_swin_trash',
    'laptop_efflite0_trash',
    'laptop_efflite0_unetplusplus_trash',
    'mask2former_swin_trash',
    'ocrnet_hr18_trash',
    'unet_s5_trash',
    'upernet_beit_base_trash',
    'upernet_convnext_tiny_trash',
]
# Weights that decide: scaled so that several classes win somewhere. K-Net's rounding errors grow
# with them from stage to stage.
DECIDING = ('conv_seg.weight', 'class_predictor.weight', 'fc_mask.weight')

ENLARGED = {'backbone.config.image_size': 640, 'data_preprocessor.test_cfg.size': (640, 640)}


def random_model(cfg, path):
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    for name, weights in model.named_parameters():
        if name.endswith(DECIDING):
            weights.data *= 3 if 'fc_mask' in str(model) else 20
    torch.save(dict(state_dict=model.state_dict()), path)
    return TrashSegmenter(cfg, path, device='cpu')


@pytest.mark.parametrize('name', NAMES)
def test_it_exports_and_gives_the_same_at_other_sizes(name, tmp_path):
    cfg = narrow(name)
    if name.startswith('eomt_dinov3'):
        # Its test pipeline enlarges photos to this side.
        cfg.merge_from_dict({f'model.{key}': value for key, value in ENLARGED.items()})
    segmenter = random_model(cfg, tmp_path / 'a.pth')
    export_onnx(segmenter, tmp_path / 'a.onnx')
    exported = OnnxSegmenter(tmp_path / 'a.onnx')
    example, *others = sizes_for(segmenter)
    assert example not in others
    photos = random_photos(others)
    parity = compare(segmenter, exported, photos)
    assert parity.holds, parity
    found = exported.batch(photos[1])
    assert [result.mask.shape for result in found] == [others[1]] * len(photos[1])
    sums = np.stack([result.probabilities.sum(axis=0) for result in found])
    np.testing.assert_allclose(sums, 1, atol=1e-4)


@pytest.mark.parametrize('tta', [None, 'flip'])
def test_the_shipped_model_exports_with_its_resizing_and_its_views(tta, tmp_path):
    segmenter = TrashSegmenter(ROOT / 'weights' / 'trash11', device='cpu', tta=tta)
    export_onnx(segmenter, tmp_path / 'a.onnx')
    photo = next((REAL / 'batch_01').glob('*.jpg'))
    batches = random_photos() if tta else [[photo], *random_photos()]
    parity = compare(segmenter, OnnxSegmenter(tmp_path / 'a.onnx'), batches)
    assert parity.holds, parity
    assert parity.difference > 0
