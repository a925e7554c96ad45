"""The views of a photo that a test pipeline makes: how it is resized and flipped."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmseg_custom.utils import UserError

from .photo_resize import PhotoResize

FLIPS = {'horizontal': 3, 'vertical': 2}


class PhotoFlip(nn.Module):
    """Does what ``RandomFlip`` of probability 0 or 1 does.

    Args:
        step: Config of the transform.

    Raises:
        UserError: It is left to chance.
    """

    def __init__(self, step: Mapping[str, Any]):
        super().__init__()
        chance = step.get('prob')
        if chance not in (0, 1):
            raise UserError('the test pipeline of this experiment flips photos at random')
        self.axes = [FLIPS[step.get('direction', 'horizontal')]] if chance else []

    def forward(self, photo: Tensor) -> Tensor:
        """Flip ``(N, C, H, W)``."""
        for axis in self.axes:
            side = photo.shape[axis]
            # Not `flip`: OpenVINO joins the slice that it becomes with the one that cuts padding
            # off, and gives other pixels.
            photo = photo.index_select(axis, side - 1 - torch.arange(side, device=photo.device))
        return photo


KINDS = dict(Resize=PhotoResize, RandomFlip=PhotoFlip)


class View(nn.Module):
    """One view of a photo.

    Args:
        steps: Configs of the transforms, of the types in :data:`KINDS`.

    Raises:
        UserError: Another transform, or one whose options have no form in a graph.
    """

    def __init__(self, steps: Sequence[Mapping[str, Any]]):
        super().__init__()
        for step in steps:
            if step['type'] not in KINDS:
                raise UserError(
                    f'the test pipeline of this experiment changes photos by {step["type"]}, which '
                    'has no form in a graph'
                )
        self.configs = steps
        self.steps = nn.ModuleList(KINDS[step['type']](step) for step in steps)

    def forward(self, photo: Tensor) -> Tensor:
        """Return what the model sees of ``(N, 3, H, W)`` uint8."""
        for step in self.steps:
            photo = step(photo)
        return photo

    def back(self, logits: Tensor, size: Sequence[Any], align_corners: bool) -> Tensor:
        """Bring what was found in the view back to the photo.

        Args:
            logits: ``(N, C, h, w)``, of the view's size.
            size: Height and width of the photo.
            align_corners: As the model was made to resize logits.

        Returns:
            Tensor: ``(N, C, H, W)``.
        """
        for step in self.steps:
            logits = step(logits) if isinstance(step, PhotoFlip) else logits
        if not any(isinstance(step, PhotoResize) for step in self.steps):
            return logits
        return F.interpolate(logits, tuple(size), mode='bilinear', align_corners=align_corners)


def views_of(pipeline: Sequence[Mapping[str, Any]]) -> list[View]:
    """Return the views that a test pipeline makes of a loaded photo.

    Args:
        pipeline: Configs of the transforms
            (:func:`~mmseg_custom.experiment.tta.photo_pipeline`).

    Raises:
        UserError: It changes photos by something else than resizing and flipping.
    """
    found: list[list[Mapping]] = [[]]
    for step in pipeline:
        is_several = step['type'] == 'TestTimeAug'
        choices = [*product(*step['transforms'])] if is_several else [(step,)]
        found = [[*steps, *choice] for steps in found for choice in choices]
    return [View([step for step in steps if not _is_frame(step)]) for steps in found]


def _is_frame(step: Mapping) -> bool:
    """Return whether a transform only takes the photo over, or packs it."""
    return step['type'] == 'LoadImageFromNDArray' or str(step['type']).startswith('Pack')
