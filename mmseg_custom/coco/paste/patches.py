"""Cutting an object out of a photo, changing its size, and pasting it into another.

The core of copy-paste (Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for
Instance Segmentation", CVPR 2021), shared by the offline paste set and the online transform.
Objects stay whole: one that would not fit into the frame is made as small as need be.
"""

from dataclasses import dataclass

import cv2
import numpy as np

MIN_PIXELS = 16
# Room around an object, so that an outline which is rounded outwards still finds pixels.
MARGIN = 2


@dataclass(frozen=True)
class Patch:
    """An object cut out of a photo.

    Attributes:
        label: Its class.
        pixels: ``(h, w, 3)`` uint8, the photo around it.
        mask: ``(h, w)`` uint8, 1 where the object is.
        left: Column of its first pixel in the photo.
        top: Row of its first pixel in the photo.
    """

    label: int
    pixels: np.ndarray
    mask: np.ndarray
    left: int
    top: int


@dataclass(frozen=True)
class Placement:
    """Where and how a patch is pasted.

    Attributes:
        left: Column of its first pixel.
        top: Row of its first pixel.
        width: Width in pixels there.
        height: Height in pixels there.
        flip: Whether left and right are exchanged.
    """

    left: int
    top: int
    width: int
    height: int
    flip: bool


def cut_patch(photo: np.ndarray, inside: np.ndarray, label: int) -> Patch | None:
    """Cut an object out.

    Args:
        photo: ``(H, W, 3)`` uint8.
        inside: ``(H, W)`` uint8 or bool, not 0 where the object is.
        label: Its class.

    Returns:
        Patch | None: None when it has fewer than ``MIN_PIXELS`` pixels.
    """
    inside = inside.astype(np.uint8, copy=False)
    if cv2.countNonZero(inside) < MIN_PIXELS:
        return None
    left, top, width, height = cv2.boundingRect(inside)
    rows = slice(max(0, top - MARGIN), top + height + MARGIN)
    columns = slice(max(0, left - MARGIN), left + width + MARGIN)
    return Patch(label, photo[rows, columns], inside[rows, columns], columns.start, rows.start)


def draw_placement(
    rng: np.random.Generator,
    patch: Patch,
    frame: tuple[int, int],
    scale_range: tuple[float, float] = (1.0, 1.0),
) -> Placement:
    """Choose a size, a side and a place at random, uniformly.

    Args:
        rng: Source of the randomness.
        patch: What is to be placed.
        frame: ``(height, width)`` of the photo that it is pasted into.
        scale_range: Smallest and largest scale factor (large-scale jitter).

    Returns:
        Placement: Wholly inside of the frame.
    """
    height, width = patch.mask.shape
    scale = min(rng.uniform(*scale_range), frame[0] / height, frame[1] / width)
    new_height = min(max(1, round(height * scale)), frame[0])
    new_width = min(max(1, round(width * scale)), frame[1])
    return Placement(
        left=int(rng.integers(frame[1] - new_width + 1)),
        top=int(rng.integers(frame[0] - new_height + 1)),
        width=new_width,
        height=new_height,
        flip=bool(rng.random() < 0.5),
    )


def fit_patch(patch: Patch, placement: Placement) -> tuple[np.ndarray, np.ndarray]:
    """Bring a patch to its size and side.

    Returns:
        tuple[np.ndarray, np.ndarray]: ``(h, w, 3)`` uint8 pixels and ``(h, w)`` uint8 mask (0, 1).
    """
    size = placement.width, placement.height
    pixels, mask = patch.pixels, patch.mask
    if mask.shape[::-1] != size:
        shrinks = placement.width < mask.shape[1]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        pixels = cv2.resize(pixels, size, interpolation=method)
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT)
    if placement.flip:
        pixels, mask = cv2.flip(pixels, 1), cv2.flip(mask, 1)
    return pixels, mask


def paste_pixels(
    photo: np.ndarray, pixels: np.ndarray, mask: np.ndarray, left: int, top: int, feather: int = 0
) -> None:
    """Paste pixels into a photo.

    Args:
        photo: ``(H, W, 3)`` uint8, changed in place.
        pixels: ``(h, w, 3)`` uint8.
        mask: ``(h, w)`` uint8, 1 where to paste.
        left: First column in the photo.
        top: First row in the photo.
        feather: Width in pixels of the rim inside of the object over which it fades in.
    """
    height, width = mask.shape
    window = photo[top : top + height, left : left + width]
    if feather:
        # Beyond the patch there is photo, so that an object fades at the patch's border, too.
        framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1, None]
        opacity = np.minimum(depth / (feather + 1), 1)
        pixels = (window + opacity * (pixels.astype(np.float32) - window) + 0.5).astype(np.uint8)
    # Writes into the photo itself; many times faster than np.copyto.
    cv2.copyTo(pixels, mask, window)
