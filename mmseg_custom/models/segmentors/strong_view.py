"""The strong view of unlabeled photos: colors changed, and pasted into one another."""

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from mmseg_custom.coco import IGNORE_INDEX

# UniMatch's (Yang et al., CVPR 2023), with a blur of a fixed size.
COLORS = v2.Compose(
    [
        v2.RandomApply([v2.ColorJitter(0.5, 0.5, 0.5, 0.25)], p=0.8),
        v2.RandomGrayscale(p=0.2),
        v2.RandomApply([v2.GaussianBlur(9, sigma=(0.1, 2.0))], p=0.5),
    ]
)


def change_colors(inputs: Tensor, preprocessor: nn.Module) -> Tensor:
    """Change brightness, contrast, saturation and hue of each photo, and blur some.

    Args:
        inputs: ``(N, 3, H, W)`` float, normalized RGB.
        preprocessor: MMSegmentation's, with the ``mean`` and ``std`` of pixels in 0..255 that
            ``inputs`` were normalized by.

    Returns:
        Tensor: ``(N, 3, H, W)``, normalized. Drawn from PyTorch's generator on the CPU.
    """
    mean, std = preprocessor.get_buffer('mean'), preprocessor.get_buffer('std')
    photos = ((inputs * std + mean) / 255).clamp(0, 1)
    changed = torch.stack([COLORS(photo) for photo in photos])
    return (changed * 255 - mean) / std


def draw_class_masks(classes: Tensor) -> Tensor:
    """Choose half of the classes of each photo, rounded down (ClassMix; Olsson et al., WACV 2021).

    Args:
        classes: ``(N, H, W)`` labels; ignored pixels (255) are never chosen.

    Returns:
        Tensor: ``(N, H, W)`` bool, True at the pixels of the chosen classes. Drawn from PyTorch's
        generator on the CPU.
    """
    return torch.stack([torch.isin(photo, _half_of(photo)) for photo in classes])


def _half_of(photo: Tensor) -> Tensor:
    present = photo.unique()
    present = present[present != IGNORE_INDEX]
    # By the first pixel of each class: another order of the class list chooses the same.
    first = (photo.flatten() == present[:, None]).to(torch.uint8).argmax(dim=1)
    present = present[first.argsort()]
    order = torch.randperm(len(present)).to(present.device)
    return present[order[: len(present) // 2]]


def paste(masks: Tensor, values: Tensor) -> Tensor:
    """Paste what is in the mask of each photo over the photo before it (the last, for the first).

    Args:
        masks: ``(N, H, W)`` bool.
        values: ``(N, H, W)`` labels or ``(N, C, H, W)`` photos.
    """
    masks = masks if values.ndim == masks.ndim else masks[:, None]
    return torch.where(masks, values, values.roll(1, dims=0))
