"""The dense CRF of its authors, through pydense"""

import numpy as np

from mmseg_custom.utils import UserError

# pydensecrf keeps cell coordinates in 16 bits, without a check. A coordinate is less than 9 times
# a position in units of the standard deviation.
MOST_DEVIATIONS = 2**15 / 9 / 2


def infer(
    photo: np.ndarray,
    probabilities: np.ndarray,
    *,
    gaussian_sxy: float,
    gaussian_weight: float,
    bilateral_sxy: float,
    bilateral_srgb: float,
    bilateral_weight: float,
    iterations: int,
) -> np.ndarray:
    """Refine the probabilities of one photo.

    Args:
        photo: ``(H, W, 3)`` uint8 RGB, contiguous.
        probabilities: ``(C, H, W)`` float32, finite, 0..1.
        gaussian_sxy: This and the following as in :class:`~mmseg_custom.postprocess.DenseCrf`.
        gaussian_weight: See there.
        bilateral_sxy: See there.
        bilateral_srgb: See there.
        bilateral_weight: See there.
        iterations: See there; all are taken.

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
    widest = max(max(height, width) / min(gaussian_sxy, bilateral_sxy), 255 / bilateral_srgb)
    if widest > MOST_DEVIATIONS:
        raise UserError(
            f'DenseCRF: a kernel is {widest:.0f} times narrower than what it filters; pydensecrf '
            'needs larger standard deviations'
        )
    field = DenseCRF2D(width, height, classes)
    field.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(probabilities)))
    if gaussian_weight > 0:
        field.addPairwiseGaussian(sxy=gaussian_sxy, compat=gaussian_weight)
    if bilateral_weight > 0:
        field.addPairwiseBilateral(
            sxy=bilateral_sxy,
            srgb=bilateral_srgb,
            rgbim=photo,
            compat=bilateral_weight,
        )
    return np.array(field.inference(iterations), np.float32).reshape(probabilities.shape)
