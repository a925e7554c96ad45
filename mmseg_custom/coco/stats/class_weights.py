"""Class weights for a loss, from how many pixels each class has."""

import math

import numpy as np

from mmseg_custom.utils import UserError

METHODS = ('inverse', 'median', 'enet', 'effective')
# The number of pixels from which a further one adds nothing new is 1 / (1 - beta). The paper's
# 0.9 to 0.9999 are for counts of photos: all our classes have far more than 10,000 pixels, and
# would weigh the same. This is ten million pixels.
BETA = 1 - 1e-7
ENET_OFFSET = 1.02


def class_weights(
    pixel_counts: np.ndarray, method: str, beta: float = BETA, max_weight: float | None = None
) -> np.ndarray:
    """Return a weight a class: the rarer, the larger.

    With ``f`` a class's fraction of all pixels, and ``n`` its number of pixels, before the weights
    are divided by their mean:

    - ``inverse``: ``1 / f``.
    - ``median``: ``median(g) / g``, where ``g`` is the class's fraction of the pixels of the images
      that hold it (Eigen and Fergus, "Predicting Depth, Surface Normals and Semantic Labels with a
      Common Multi-Scale Convolutional Architecture", ICCV 2015).
    - ``enet``: ``1 / ln(1.02 + f)`` (Paszke et al., "ENet", 2016).
    - ``effective``: ``(1 - beta) / (1 - beta ** n)`` (Cui et al., "Class-Balanced Loss Based on
      Effective Number of Samples", CVPR 2019).

    Args:
        pixel_counts: ``(images, num_classes)``, as :func:`~mmseg_custom.coco.pixel_counts` gives
            them, or ``(num_classes,)`` of the full set; the latter counts as one image, so that
            ``median`` is ``inverse`` then.
        method: ``inverse``, ``median``, ``enet`` or ``effective``.
        beta: Of ``effective``, at least 0 and below 1; 0 weighs all classes alike.
        max_weight: Larger weights become this one, after the division by the mean.

    Returns:
        np.ndarray: ``(num_classes,)`` float64 with the mean 1 over the classes that occur, or less
        where ``max_weight`` took something away. A class without pixels weighs 1.

    Raises:
        UserError: Unknown method, ``beta`` or ``max_weight`` out of range.
    """
    _require_options(method, beta, max_weight)
    counts = np.atleast_2d(np.asarray(pixel_counts, np.float64))
    occurs = counts.any(axis=0)
    weights = np.ones(counts.shape[1])
    if occurs.any():
        raw = _raw_weights(counts[:, occurs], method, beta)
        weights[occurs] = np.minimum(raw / raw.mean(), max_weight or math.inf)
    return weights


def _require_options(method: str, beta: float, max_weight: float | None) -> None:
    if method not in METHODS:
        raise UserError(f'class weights {method!r}: take one of {", ".join(METHODS)}')
    if not 0 <= beta < 1:
        raise UserError(f'class weights with beta {beta}: take at least 0 and less than 1')
    if max_weight is not None and not max_weight > 0:
        raise UserError(f'class weights up to {max_weight}: take a max_weight above 0')


def _raw_weights(counts: np.ndarray, method: str, beta: float) -> np.ndarray:
    """Return the paper's weights, not normalized.

    Args:
        counts: ``(images, classes)`` float64, no class without pixels.
        method: One of :data:`METHODS`.
        beta: Of ``effective``.
    """
    pixels = counts.sum(axis=0)
    if method == 'effective':
        # 1 - beta ** n without the loss of digits where beta is nearly 1; at beta 0, all are 1.
        return np.ones(len(pixels)) if beta == 0 else -(1 - beta) / np.expm1(pixels * np.log(beta))
    if method == 'median':
        shares = pixels / (counts.sum(axis=1) @ (counts > 0))
        return np.median(shares) / shares
    shares = pixels / pixels.sum()
    return 1 / shares if method == 'inverse' else 1 / np.log(ENET_OFFSET + shares)
