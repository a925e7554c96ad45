"""What the API answers."""

import io

import cv2
import numpy as np
from pydantic import BaseModel, Field

from mmseg_custom.classes import ClassList
from mmseg_custom.coco import mask_annotations
from mmseg_custom.coco.palette import mask_image

from .upload import Upload


class Rle(BaseModel):
    """COCO's compressed run lengths; ``pycocotools.mask.decode`` makes a mask of them."""

    size: tuple[int, int] = Field(description='height and width of the photo')
    counts: str


class Found(BaseModel):
    """One class in a photo."""

    category_id: int = Field(description='the value of its pixels in the PNG')
    category: str
    area: int = Field(description='pixels')
    area_share: float = Field(description='fraction of the photo, 0 to 1')
    bbox: tuple[float, float, float, float] = Field(description='left, top, width, height')
    segmentation: Rle


class Answer(BaseModel):
    """All classes in a photo but the background."""

    height: int
    width: int
    found: list[Found]


class Health(BaseModel):
    """That the server is there."""

    status: str
    classes: list[str]


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


def full_mask(mask: np.ndarray, upload: Upload) -> np.ndarray:
    """Bring a mask to the size of the file.

    Args:
        mask: ``(h, w)`` uint8 labels.
        upload: The photo they belong to.

    Returns:
        np.ndarray: ``(H, W)`` uint8 labels.
    """
    size = upload.width, upload.height
    return cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT)


def to_json(mask: np.ndarray, classes: ClassList) -> str:
    """Describe an ``(H, W)`` uint8 label mask as an :class:`Answer`."""
    height, width = mask.shape
    found = [
        Found(
            category=classes.names[annotation['category_id']],
            area_share=annotation['area'] / mask.size,
            **annotation,
        )
        for annotation in mask_annotations(mask, classes, whole=True)
    ]
    return Answer(height=height, width=width, found=found).model_dump_json()


def to_png(mask: np.ndarray, classes: ClassList) -> bytes:
    """Return an ``(H, W)`` uint8 label mask as a palette PNG."""
    file = io.BytesIO()
    mask_image(mask, classes).save(file, 'PNG')
    return file.getvalue()
