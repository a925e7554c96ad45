"""Models of the zoo with random weights whose masks have several classes."""

from pathlib import Path

import numpy as np
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.apis.export import sizes_for
from mmseg_custom.apis.parity import random_photos
from mmseg_custom.experiment.config import drop_pretrained, load_config
from mmseg_custom.utils.silence import loggers_silenced

from .zoo import CONFIGS

# Of the classes' scores over a photo: so far apart that several classes win somewhere, and so near
# that no probability is 0 or 1 everywhere, which hides differences.
SPREAD = 3.0
# Of the layer that gives the classes of a query.
QUERY_LAYER, QUERY_SCALE = 'class_predictor.weight', 20


def segmenter_of(name: str, folder: Path, **backbone) -> TrashSegmenter:
    """Build an experiment with random weights that decide.

    Args:
        name: The name of the experiment.
        folder: The weights are written to it.
        **backbone: What is changed in its backbone.
    """
    # MMEngine names each weight in the log file of the newest logger, which may be closed.
    MMLogger.get_instance('random weights')
    cfg = load_config(str(CONFIGS / f'{name}.py'))
    cfg.model.backbone.update(backbone)
    drop_pretrained(cfg.model)
    torch.manual_seed(0)
    init_default_scope('mmseg')
    model = MODELS.build(cfg.model)
    with loggers_silenced():
        model.init_weights()
    checkpoint = folder / 'random.pth'
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    segmenter = TrashSegmenter(cfg, checkpoint, device='cpu')
    make_decide(segmenter)
    return segmenter


def make_decide(segmenter) -> None:
    """Scale and shift the last layer, so that the scores of all classes vary over a photo."""

    if 'KernelUpdateHead' in str(segmenter.model):
        # K-Net's rounding errors grow with the scores from stage to stage.
        return
    for key, weights in segmenter.model.named_parameters():
        if key.endswith(QUERY_LAYER):
            weights.data *= QUERY_SCALE
    called = []

    def note(layer, _, scores):
        if scores.shape[1] == len(segmenter.classes) and scores[0, 0].numel() > 1:
            called.append((layer, scores))

    layers = [layer for layer in segmenter.model.modules() if type(layer).__name__ == 'Conv2d']
    hooks = [layer.register_forward_hook(note) for layer in layers]
    segmenter(random_photos(sizes_for(segmenter)[1:])[0][0])
    for hook in hooks:
        hook.remove()
    if called:
        layer, scores = called[-1]
        factor = SPREAD / scores.std(dim=(0, 2, 3)).clamp_min(1e-12)
        layer.weight.data *= factor[:, None, None, None]
        if layer.bias is not None:
            layer.bias.data = (layer.bias.data - scores.mean(dim=(0, 2, 3))) * factor


def count_classes(segmenter) -> int:
    """Return how many classes PyTorch finds in the photos that are compared: 1 proves little."""

    batches = random_photos(sizes_for(segmenter)[1:])
    masks = [result.mask.ravel() for photos in batches for result in segmenter.batch(photos)]
    return len(np.unique(np.concatenate(masks)))
