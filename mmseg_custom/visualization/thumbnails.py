"""Small pictures of photos and of objects in them."""

from collections.abc import Sequence

import cv2
import numpy as np

# Of the object's longer side, on each side of it.
CROP_MARGIN = 0.25
RIM, RIM_WIDTH, LINE_WIDTH = (255, 255, 255), 4, 2


def thumbnail(photo: np.ndarray, side: int) -> np.ndarray:
    """Bring a picture to a longer side, up or down.

    Args:
        photo: ``(H, W, …)`` uint8.
        side: In pixels.
    """
    height, width = photo.shape[:2]
    ratio = side / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    method = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    return cv2.resize(photo, size, interpolation=method)


def object_thumbnail(
    photo: np.ndarray, mask: np.ndarray, color: Sequence[int], side: int
) -> np.ndarray:
    """Cut an object out with some of its surroundings, and outline it.

    Args:
        photo: ``(H, W, 3)`` uint8 RGB.
        mask: ``(H, W)`` uint8, not 0 where the object is, which is somewhere.
        color: (R, G, B) of the outline, which has a white rim.
        side: Longer side of the picture in pixels.

    Returns:
        np.ndarray: ``(h, w, 3)`` uint8 RGB; a square where the photo is large enough.
    """
    window = crop_window(mask)
    picture = np.ascontiguousarray(thumbnail(photo[window], side))
    ratio = side / max(mask[window].shape)
    outlines, _ = cv2.findContours(mask[window], cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    # From the middles of the pixels to the middles of the new ones.
    outlines = [((line + 0.5) * ratio - 0.5).round().astype(np.int32) for line in outlines]
    cv2.drawContours(picture, outlines, -1, RIM, RIM_WIDTH, cv2.LINE_AA)
    cv2.drawContours(picture, outlines, -1, tuple(map(int, color)), LINE_WIDTH, cv2.LINE_AA)
    return picture


def crop_window(mask: np.ndarray) -> tuple[slice, slice]:
    """Return rows and columns of a square around an object, moved or cut to stay in the frame.

    Args:
        mask: ``(H, W)`` uint8, not 0 where the object is, which is somewhere.
    """
    left, top, width, height = cv2.boundingRect(mask)
    side = round(max(width, height) * (1 + 2 * CROP_MARGIN))
    return _span(top, height, side, mask.shape[0]), _span(left, width, side, mask.shape[1])


def _span(start: int, length: int, side: int, end: int) -> slice:
    side = min(side, end)
    first = min(max(0, start + (length - side) // 2), end - side)
    return slice(first, first + side)
