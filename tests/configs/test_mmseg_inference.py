"""MMSegmentation's own ``inference_model(init_model(cfg, checkpoint), photo)`` with our configs."""

import copy

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.runner import save_checkpoint
from mmseg.apis import inference_model, init_model
from mmseg.registry import MODELS
from narrow_zoo import narrow

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.experiment.config import load_config

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
NARROW = (
    'segformer_b0_trash', 'upernet_convnext_tiny_trash', 'fcn_r50_trash', 'knet_swin_trash',
    'hf_segformer_b0_trash', 'eomt_dinov2_large_trash', 'laptop_efflite0_trash',
)  # fmt: skip


@pytest.fixture
def photo(tmp_path):
    """The path of a small photo."""
    noise = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), cv2.resize(noise, (56, 40), interpolation=cv2.INTER_CUBIC))
    return str(path)


def assert_same(cfg, checkpoint, photo):
    segmenter = TrashSegmenter(copy.deepcopy(cfg), checkpoint, device='cpu')
    expected = segmenter(photo)
    model = init_model(copy.deepcopy(cfg), str(checkpoint), device='cpu')
    assert tuple(model.dataset_meta['classes']) == tuple(segmenter.classes.names)
    by_path = inference_model(model, photo)
    by_array = inference_model(model, cv2.imread(photo))  # BGR, as mmseg wants arrays
    for found in (by_path, by_array):
        np.testing.assert_array_equal(found.pred_sem_seg.data[0].numpy(), expected.mask)
        torch.testing.assert_close(
            found.seg_logits.data.softmax(0), torch.from_numpy(expected.probabilities)
        )


def test_a_trained_model_gives_the_masks_of_the_segmenter(random_checkpoint, photo):
    assert_same(load_config(str(TOY)), random_checkpoint, photo)
    segmented = TrashSegmenter(str(TOY), random_checkpoint, device='cpu')(photo)
    assert len(np.unique(segmented.mask)) > 1


@pytest.mark.parametrize('name', NARROW)
def test_the_zoo_gives_the_masks_of_the_segmenter(name, photo, tmp_path):
    cfg = narrow(name)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    content = dict(state_dict=model.state_dict(), meta=dict(dataset_meta=built_in().to_metainfo()))
    save_checkpoint(content, str(tmp_path / 'a.pth'))
    assert_same(cfg, tmp_path / 'a.pth', photo)


def test_an_online_model_gives_the_masks_of_its_teacher(photo, tmp_path):
    cfg = load_config(str(ROOT / 'configs' / 'laptop_efflite0_trash_online.py'))
    cfg.model.segmentor.backbone.pretrained = False
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg.model))
    content = dict(state_dict=model.state_dict(), meta=dict(dataset_meta=built_in().to_metainfo()))
    save_checkpoint(content, str(tmp_path / 'a.pth'))
    assert_same(cfg, tmp_path / 'a.pth', photo)


def test_the_pipeline_of_the_test_set_works_too(random_checkpoint, photo):
    """As scripts do that copy it: LoadTrashAnnotations finds no labels and adds none."""
    cfg = load_config(str(TOY))
    cfg.test_pipeline = copy.deepcopy(cfg.test_dataloader.dataset.pipeline)
    assert_same(cfg, random_checkpoint, photo)
