"""One set of weights of several trainings: a model soup."""

import os
from collections.abc import Mapping, Sequence

import torch

from mmseg_custom.checkpoints.checkpoint import require_finite, require_same_classes, state_of
from mmseg_custom.checkpoints.safe_load import load_checkpoint
from mmseg_custom.utils import UserError, atomic_path


def average_checkpoints(
    paths: Sequence[str | os.PathLike], weights: Sequence[float] | None = None
) -> dict:
    """Average the weights of models that were trained from the same start.

    The mean of models far apart is no model: measure what comes out. Reference: Wortsman et al.,
    "Model soups" (ICML 2022).

    Args:
        paths: The ``.pth`` files.
        weights: One a file; None: all weigh the same.

    Returns:
        dict: A checkpoint with ``state_dict`` (whole numbers are the first one's) and the first
        one's ``meta``.

    Raises:
        UserError: One is no checkpoint, of another model, or has weights that are not finite.
    """
    weights = [1.0] * len(paths) if weights is None else list(weights)
    mean: dict = {}
    meta: dict = {}
    for path, weight in zip(paths, weights, strict=True):
        content = load_checkpoint(path)
        require_finite(path, content)
        state = state_of(content)
        share = weight / sum(weights)
        if not mean:
            meta = content.get('meta', {})
            mean = {k: v.double() * share if v.is_floating_point() else v for k, v in state.items()}
            kinds = {key: value.dtype for key, value in state.items()}
            continue
        _require_same_model(paths[0], mean, path, state)
        require_same_classes(os.fspath(path), content, meta.get('dataset_meta') or {})
        for key, value in state.items():
            if value.is_floating_point():
                mean[key] += value.double() * share
    return dict(state_dict={key: value.to(kinds[key]) for key, value in mean.items()}, meta=meta)


def _require_same_model(
    first: str | os.PathLike,
    mean: Mapping[str, torch.Tensor],
    path: str | os.PathLike,
    state: Mapping[str, torch.Tensor],
) -> None:
    if {k: v.shape for k, v in mean.items()} != {k: v.shape for k, v in state.items()}:
        raise UserError(f'{path}: is of another model than {first}; average trainings of one')


def save_average(path: str | os.PathLike, checkpoint: dict) -> None:
    """Write a checkpoint atomically."""
    with atomic_path(path) as temporary:
        torch.save(checkpoint, temporary)
