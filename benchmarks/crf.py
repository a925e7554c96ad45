"""The dense CRF, against pydensecrf with all classes."""

import numpy as np

from mmseg_custom.postprocess import DenseCrf

from .probabilities import photos_and_probabilities
from .timing import Comparison, compare

PHOTOS = 6


def plain_crf(photo: np.ndarray, probabilities: np.ndarray, crf: DenseCrf) -> np.ndarray:
    """Refine as pydensecrf's own example does, ``(C, H, W)``."""
    import pydensecrf.densecrf as dcrf
    from pydensecrf.utils import unary_from_softmax

    count, height, width = probabilities.shape
    field = dcrf.DenseCRF2D(width, height, count)
    field.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(probabilities)))
    field.addPairwiseGaussian(sxy=crf.gaussian_sxy, compat=crf.gaussian_weight)
    field.addPairwiseBilateral(
        sxy=crf.bilateral_sxy,
        srgb=crf.bilateral_srgb,
        rgbim=photo,
        compat=crf.bilateral_weight,
    )
    return np.array(field.inference(crf.iterations)).reshape(probabilities.shape)


def run() -> Comparison:
    """Compare, and say on how many pixels both agree."""
    crf = DenseCrf()
    pairs, what = photos_and_probabilities(PHOTOS)
    agreement = np.mean(
        [(crf(*pair).argmax(0) == plain_crf(*pair, crf).argmax(0)).mean() for pair in pairs]
    )
    return compare(
        f'dense CRF, 10 iterations ({what}; {100 * agreement:.3f} % of the pixels agree)',
        lambda: [crf(*pair) for pair in pairs],
        'pydensecrf with 11 classes',
        lambda: [plain_crf(*pair, crf) for pair in pairs],
        len(pairs),
        goal=0.31,
    )
