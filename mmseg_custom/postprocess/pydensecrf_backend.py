"""The dense CRF of its authors, through pydensecrf."""

from typing import TYPE_CHECKING

import numpy as np

from mmseg_custom.utils import UserError

if TYPE_CHECKING:
    from .dense_crf import DenseCrf

# pydensecrf keeps cell coordinates in 16 bits, without a check. A coordinate is less than 9 times
# a position in units of the standard deviation.
MOST_DEVIATIONS = 2**15 / 9 / 2


def infer(crf: 'DenseCrf', photo: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Refine the probabilities of one photo.

    Args:
        crf: The parameters.
        photo: ``(H, W, 3)`` uint8 RGB, contiguous.
        probabilities: ``(C, H, W)`` float32, finite, 0..1.

    Returns:
        np.ndarray: ``(C, H, W)`` float32, 0..1, summing to 1 over the classes.

    Raises:
        UserError: pydensecrf is not installed, or a standard deviation is too small for it.
    """
    try:
        from pydensecrf.densecrf import DenseCRF2D
        from pydensecrf.utils import unary_from_softmax
    except ImportError:
        raise UserError(
            "DenseCRF: backend='pydensecrf' needs pydensecrf: pip install pydensecrf2"
        ) from None
    classes, height, width = probabilities.shape
    widest = max(
        max(height, width) / min(crf.gaussian_sxy, crf.bilateral_sxy), 255 / crf.bilateral_srgb
    )
    if widest > MOST_DEVIATIONS:
        raise UserError(
            f'DenseCRF: a kernel is {widest:.0f} times narrower than what it filters; pydensecrf '
            'needs larger standard deviations'
        )
    field = DenseCRF2D(width, height, classes)
    field.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(probabilities)))
    if crf.gaussian_weight > 0:
        field.addPairwiseGaussian(sxy=crf.gaussian_sxy, compat=crf.gaussian_weight)
    if crf.bilateral_weight > 0:
        field.addPairwiseBilateral(
            sxy=crf.bilateral_sxy,
            srgb=crf.bilateral_srgb,
            rgbim=photo,
            compat=crf.bilateral_weight,
        )
    return np.array(field.inference(crf.iterations), np.float32).reshape(probabilities.shape)
