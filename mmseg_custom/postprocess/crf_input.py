"""Checking what the dense CRF gets: its backends are compiled code, which checks nothing."""

import numpy as np

from mmseg_custom.utils import UserError

# Rounding of probabilities that were saved in few bits.
TOLERANCE = 1e-2
# A backend numbers the corners of all pixels, 6 each, with 32 bits.
MOST_PIXELS = 2**31 // 6


def checked_input(photo: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo and its probabilities in the memory layout that compiled code expects.

    Args:
        photo: ``(H, W, 3)`` uint8 RGB.
        probabilities: ``(C, H, W)``, 0..1.

    Returns:
        tuple: Both, contiguous; the probabilities as float32, 0..1.

    Raises:
        UserError: An argument has another shape, type or range, or both have different sizes.
    """
    photo, probabilities = np.asarray(photo), np.asarray(probabilities)
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise UserError(
            f'DenseCRF: the photo is {_describe(photo)}; it has to be (height, width, 3) uint8 RGB'
        )
    if probabilities.ndim != 3 or probabilities.dtype.kind not in 'fiub':
        raise UserError(
            f'DenseCRF: the probabilities are {_describe(probabilities)}; they have to be numbers '
            '(classes, height, width)'
        )
    if not photo.size or not len(probabilities):
        raise UserError(
            f'DenseCRF: nothing to refine: the photo is {photo.shape}, the probabilities are '
            f'{probabilities.shape}'
        )
    if probabilities.shape[1:] != photo.shape[:2]:
        raise UserError(
            f'DenseCRF: the probabilities are {probabilities.shape[1:]} pixels, the photo is '
            f'{photo.shape[:2]}: they belong to different photos'
        )
    if photo.shape[0] * photo.shape[1] > MOST_PIXELS:
        raise UserError(f'DenseCRF: a photo of {photo.shape[:2]} pixels is too large')
    return np.ascontiguousarray(photo), _in_range(probabilities)


def _in_range(probabilities: np.ndarray) -> np.ndarray:
    lowest, highest = probabilities.min(), probabilities.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise UserError('DenseCRF: the probabilities contain NaN or infinity')
    if lowest < -TOLERANCE or highest > 1 + TOLERANCE:
        raise UserError(
            f'DenseCRF: the probabilities reach from {lowest:.4g} to {highest:.4g}, not from 0 to '
            '1: are they logits, or a mask?'
        )
    found = np.ascontiguousarray(probabilities, dtype=np.float32)
    return found if lowest >= 0 and highest <= 1 else found.clip(0, 1)


def _describe(array: np.ndarray) -> str:
    return f'{array.shape} {array.dtype}'
