"""A model, and what it says about the photos that benchmarks work on."""

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from mmseg_custom.classes import built_in
from mmseg_custom.transforms import LoadTrashAnnotations, LoadTrashImage

from .photos import load_photos

CLASSES = built_in().names
PALETTE = built_in().mask_colors

# CONFIG and CHECKPOINT of a trained model, separated by a space; without it one is imitated.
VARIABLE = 'BENCHMARK_MODEL'
LAPTOP = Path(__file__).resolve().parents[1] / 'configs' / 'laptop_efflite0_trash.py'
BLUR, NOISE, SHARPNESS = 6.0, 0.5, 12.0
HEAD_SCALE = 30.0


def chosen_model() -> tuple[str, str, str]:
    """Return config, checkpoint and what the model is."""
    if os.environ.get(VARIABLE):
        return *os.environ[VARIABLE].split(), 'a trained model'
    from mmengine.config import Config
    from mmseg.registry import MODELS

    from mmseg_custom.experiment.config import drop_pretrained

    cfg = Config.fromfile(str(LAPTOP))
    drop_pretrained(cfg.model)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    # So that several classes win somewhere, as in a trained model.
    model.decode_head.conv_seg.weight.data *= HEAD_SCALE
    path = Path(tempfile.mkdtemp(), 'random.pth')
    meta = dict(dataset_meta=dict(classes=CLASSES, palette=PALETTE))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return str(LAPTOP), str(path), 'random weights'


def photos_and_probabilities(count: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Return photos, ``(H, W, 3)`` uint8 RGB, with ``(C, H, W)`` float32, and what they are."""
    dataset, what = load_photos()
    step = max(1, len(dataset) // count)
    infos = [dataset.get_data_info(index) for index in range(0, len(dataset), step)][:count]
    photos = [np.ascontiguousarray(LoadTrashImage()(info)['img'][..., ::-1]) for info in infos]
    if os.environ.get(VARIABLE):
        from mmseg_custom.apis import TrashSegmenter

        config, checkpoint, model = chosen_model()
        segmenter = TrashSegmenter(config, checkpoint)
        found = [segmenter(photo).probabilities for photo in photos]
    else:
        model = 'an imitated model'
        masks = [LoadTrashAnnotations()(info)['gt_seg_map'] for info in infos]
        found = [_imitate(mask, seed) for seed, mask in enumerate(masks)]
    return list(zip(photos, found, strict=True)), f'{what}, {model}'


def _imitate(mask: np.ndarray, seed: int) -> np.ndarray:
    """Blur the truth and add smooth noise, as a small model sees it."""
    rng = np.random.default_rng(seed)
    logits = []
    for label in range(len(CLASSES)):
        seen = cv2.GaussianBlur((mask == label).astype(np.float32), (0, 0), BLUR)
        noise = rng.normal(0, 1, (mask.shape[0] // 16, mask.shape[1] // 16)).astype(np.float32)
        logits.append(SHARPNESS * seen + NOISE * cv2.resize(noise, mask.shape[::-1]))
    exp = np.exp(np.stack(logits))
    return exp / exp.sum(axis=0)
