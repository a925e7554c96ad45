"""A model in float64, which shows what float32 rounds."""

from copy import copy, deepcopy

import torch

from .segmenter import TrashSegmenter


def in_float64(segmenter: TrashSegmenter) -> TrashSegmenter:
    """Return a copy of a segmenter that computes in float64; its probabilities are float32.

    Args:
        segmenter: Stays as it is.
    """
    exact = copy(segmenter)
    exact.model = deepcopy(segmenter.model).double()
    # Of the model itself where it is inside of test-time augmentation.
    preprocessor = getattr(exact.model, 'module', exact.model).data_preprocessor
    preprocessor.register_forward_hook(_enlarge_inputs)
    return exact


def _enlarge_inputs(_: torch.nn.Module, __: tuple, data: dict) -> dict:
    return dict(data, inputs=data['inputs'].double())
