"""Photos with truth, prediction and errors, small, and large those that are worth a look."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mmseg_custom.classes import ClassList
from mmseg_custom.visualization.overlay import overlay
from mmseg_custom.visualization.thumbnails import thumbnail

from .html import picture_uri

if TYPE_CHECKING:
    from mmseg_custom.evaluation.photo_tally import PhotoScore

HEADINGS = ('photo', 'truth', 'prediction', 'errors')
LARGE, SMALL, SMALL_QUALITY = 232, 80, 72
# Brightness of the photo where the prediction is right; gray says that a pixel does not count.
DIMMED, WRONG, IGNORED = 0.35, (225, 30, 30), (128, 128, 128)


@dataclass(frozen=True)
class GalleryPhoto:
    """One photo.

    Attributes:
        name: The file's name.
        score: How well it was segmented.
        strip: Photo, truth and prediction side by side, a data URI.
        large: Data URIs of what :data:`HEADINGS` names; only of the worst and the best photos.
    """

    name: str
    score: 'PhotoScore'
    strip: str
    large: tuple[str, ...]


class Gallery:
    """Takes photos one after the other and keeps pictures of some kilobytes.

    Attributes:
        photos: All, in the order in which they came, without large pictures.
        worst: Those of the lowest IoU, the worst first, with large pictures.
        best: Those of the highest, the best first.

    Args:
        number: How many are kept as the worst and as the best.
        classes: What the labels mean.
    """

    def __init__(self, number: int, classes: ClassList):
        self.number, self.classes = number, classes
        self.photos: list[GalleryPhoto] = []
        self.worst: list[GalleryPhoto] = []
        self.best: list[GalleryPhoto] = []

    def add(
        self,
        name: str,
        photo: np.ndarray,
        truth: np.ndarray,
        prediction: np.ndarray,
        score: 'PhotoScore',
    ) -> None:
        """Take a photo.

        Args:
            name: The file's name.
            photo: ``(H, W, 3)`` uint8 RGB.
            truth: ``(H, W)`` uint8 labels.
            prediction: ``(H, W)`` uint8 labels.
            score: How well it was segmented; a photo without IoU is neither the worst nor the best.
        """
        pictures = [photo, *(overlay(photo, mask, self.classes) for mask in (truth, prediction))]
        small = np.concatenate([thumbnail(picture, SMALL) for picture in pictures], axis=1)
        strip = picture_uri(small, quality=SMALL_QUALITY)
        self.photos.append(GalleryPhoto(name, score, strip, ()))
        if np.isnan(score.iou):
            return
        pictures.append(error_map(photo, truth, prediction, self.classes))
        large = tuple(picture_uri(thumbnail(picture, LARGE)) for picture in pictures)
        shown = GalleryPhoto(name, score, strip, large)
        self.worst = sorted([*self.worst, shown], key=lambda p: p.score.iou)[: self.number]
        self.best = sorted([*self.best, shown], key=lambda p: -p.score.iou)[: self.number]


def error_map(
    photo: np.ndarray, truth: np.ndarray, prediction: np.ndarray, classes: ClassList
) -> np.ndarray:
    """Return a picture of where a prediction is wrong: red over the dimmed photo.

    Args:
        photo: ``(H, W, 3)`` uint8 RGB.
        truth: ``(H, W)`` uint8 labels; ignored pixels become gray.
        prediction: ``(H, W)`` uint8 labels.
        classes: What the labels mean.

    Returns:
        np.ndarray: ``(H, W, 3)`` uint8 RGB.
    """
    gray = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    picture = (gray * DIMMED).astype(np.uint8)
    picture[truth != prediction] = WRONG
    picture[truth == classes.ignore_index] = IGNORED
    return picture
