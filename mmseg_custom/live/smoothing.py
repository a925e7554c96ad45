"""Probabilities that are averaged over time where nothing moves."""

import cv2
import numpy as np

# What moves is found in a picture of about this width, in pixels.
WIDTH = 160


class TemporalSmoothing:
    """An exponential average over frames that starts again where the picture moves.

    The class of a pixel flickers in a still scene, since the noise of a camera decides between
    classes that are about as likely. An average over frames removes the noise; where something
    moves it would smear, so that the new frame counts alone there.

    Args:
        weight: Weight of a new frame where nothing moves, in 0..1; 1: no smoothing.
        motion: Gray levels, of 255, that a blurred pixel changes by at least if it moves. The noise
            of a camera is below 2 after blurring.

    Raises:
        ValueError: ``weight`` is not in 0..1, or is 0.
    """

    def __init__(self, weight: float = 0.15, motion: float = 4.0):
        if not 0 < weight <= 1:
            raise ValueError(f'weight {weight} is not above 0 and at most 1')
        self.weight, self.motion = weight, motion
        self._mean: np.ndarray | None = None
        self._gray: np.ndarray | None = None

    def __call__(self, frame: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return the average up to this frame.

        Args:
            frame: ``(H, W, 3)`` uint8 RGB, the next one.
            probabilities: ``(C, H, W)`` float32 in 0..1, of this frame.

        Returns:
            np.ndarray: ``(C, H, W)`` float32; not to be changed.
        """
        gray = _blurred(frame)
        is_same = self._mean is not None and self._mean.shape == probabilities.shape
        if self._mean is None or self._gray is None or not is_same:
            self._mean, self._gray = probabilities.copy(), gray
            return self._mean
        moves = (np.abs(gray - self._gray) > self.motion).astype(np.uint8)
        # The edge of what moves is blurred with what does not.
        moves = cv2.dilate(moves, np.ones((7, 7), np.uint8))
        # The reference follows slowly, so that slow motion adds up until it is seen.
        self._gray = np.where(moves, gray, self._gray + self.weight * (gray - self._gray))
        height, width = probabilities.shape[1:]
        seen = cv2.resize(moves, (width, height), interpolation=cv2.INTER_NEAREST)
        weights = np.where(seen, np.float32(1), np.float32(self.weight))
        self._mean = self._mean + weights * (probabilities - self._mean)
        return self._mean


def _blurred(frame: np.ndarray) -> np.ndarray:
    """Return a small gray picture without noise, float32."""
    height, width = frame.shape[:2]
    scale = min(1.0, WIDTH / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 1.5)
