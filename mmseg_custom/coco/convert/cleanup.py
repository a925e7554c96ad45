"""Optional clean-up of noisy label masks.

Off unless asked for: one team of the contest gained by it (mIoU 0.725 -> 0.738), another lost,
since the labels of the test set have the same noise.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from mmseg_custom.classes import IGNORE_INDEX

NEIGHBORS = np.ones((3, 3), np.uint8)
Window = tuple[slice, slice]


def mode_filter(mask: np.ndarray) -> np.ndarray:
    """Give each pixel the most frequent label of the 3x3 pixels around it.

    Among equally frequent labels the pixel's own wins, else the one of the larger area
    (:func:`labels_by_area`). Ignored pixels stay ignored and do not vote, nor does what lies beyond
    the frame.

    Args:
        mask: ``(H, W)`` uint8 labels.

    Returns:
        np.ndarray: ``(H, W)`` uint8 labels, a new array.
    """
    most = np.zeros(mask.shape, np.uint8)
    own = np.zeros(mask.shape, np.uint8)
    winner = mask.copy()
    for label in labels_by_area(mask):
        of_label = mask == label
        votes = cv2.boxFilter(
            of_label.astype(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        # Larger areas come first: "more than" leaves a tie to them.
        more = votes > most
        winner[more] = label
        most[more] = votes[more]
        own[of_label] = votes[of_label]
    stays = (own == most) | (mask == IGNORE_INDEX)
    winner[stays] = mask[stays]
    return winner


def drop_specks(mask: np.ndarray, min_pixels: int) -> np.ndarray:
    """Give each small component the most frequent label of the pixels around it.

    Components are 8-connected, of any label: a hole of Background in a bottle is a speck, too.
    The label of the surroundings is taken rather than Background, since most specks lie on or at
    an object. Around a speck only pixels vote that are neither ignored nor in a speck; a tie goes
    to the label of the larger area (:func:`labels_by_area`). A speck that touches nothing but
    specks waits until one of them has become something else; one that never touches anything else
    keeps its label.

    Args:
        mask: ``(H, W)`` uint8 labels; ignored pixels stay ignored.
        min_pixels: Components of fewer pixels are specks.

    Returns:
        np.ndarray: ``(H, W)`` uint8 labels, a new array.
    """
    result, order = mask.copy(), labels_by_area(mask)
    waiting = list(_specks(mask, min_pixels))
    # What may vote.
    settled = mask != IGNORE_INDEX
    for window, speck in waiting:
        settled[window] &= ~speck
    while waiting:
        votes = [_surrounding_label(result, settled, order, *speck) for speck in waiting]
        # All decide on the same picture: their order does not matter.
        for (window, speck), label in zip(waiting, votes, strict=True):
            if label is not None:
                result[window][speck] = label
                settled[window] |= speck
        still = [s for s, label in zip(waiting, votes, strict=True) if label is None]
        if len(still) == len(waiting):
            break
        waiting = still
    return result


def labels_by_area(mask: np.ndarray) -> list[int]:
    """Return the labels in a mask without ignore: larger areas first, then the first in the photo.

    This order depends on the picture alone, so another order of the classes changes no clean-up.

    Args:
        mask: ``(H, W)`` uint8 labels.
    """
    labels, first, areas = np.unique(mask, return_index=True, return_counts=True)
    return [int(n) for n in labels[np.lexsort((first, -areas))] if n != IGNORE_INDEX]


def _specks(mask: np.ndarray, min_pixels: int) -> Iterator[tuple[Window, np.ndarray]]:
    """Yield each speck as a window one pixel larger than it, and where it is in there (bool)."""
    for label in labels_by_area(mask):
        of_label = (mask == label).astype(np.uint8)
        _, parts, stats, _ = cv2.connectedComponentsWithStats(of_label, connectivity=8)
        for number in np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] < min_pixels) + 1:
            left, top, width, height = stats[number, : cv2.CC_STAT_AREA]
            rows = slice(max(0, top - 1), top + height + 1)
            columns = slice(max(0, left - 1), left + width + 1)
            yield (rows, columns), parts[rows, columns] == number


def _surrounding_label(
    labels: np.ndarray,
    settled: np.ndarray,
    order: Sequence[int],
    window: Window,
    speck: np.ndarray,
) -> int | None:
    """Return the most frequent settled label beside a speck, the first in ``order`` of several.

    None where there is none.
    """
    around = cv2.dilate(speck.astype(np.uint8), NEIGHBORS).astype(bool) & ~speck & settled[window]
    votes = np.bincount(labels[window][around], minlength=IGNORE_INDEX + 1)
    return max(order, key=lambda label: votes[label]) if around.any() else None
