"""What the API answers."""

import io
from typing import Literal, NamedTuple

import cv2
import numpy as np
from pydantic import BaseModel, Field

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.palette import mask_image
from mmseg_custom.coco.segmentation import describe_mask

from .service import Seen
from .upload import Upload

Each = Literal['class', 'object']
# Of the components of a noisy mask, the largest are described: each costs a pass over the photo.
MAX_OBJECTS = 50


class Rle(BaseModel):
    """COCO's compressed run lengths; ``pycocotools.mask.decode`` makes a mask of them."""

    size: tuple[int, int] = Field(description='height and width of the photo')
    counts: str


class Found(BaseModel):
    """One class in a photo, or one object: a connected component of a class."""

    category_id: int = Field(description='the value of its pixels in the PNG')
    category: str
    confidence: float = Field(description='mean probability of the class over its pixels, 0 to 1')
    area: int = Field(description='pixels')
    area_share: float = Field(description='fraction of the photo, 0 to 1')
    bbox: tuple[float, float, float, float] = Field(description='left, top, width, height')
    segmentation: Rle


class Answer(BaseModel):
    """All classes, or objects, in a photo but the background."""

    height: int
    width: int
    found: list[Found]
    left_out: int = Field(description=f'objects beyond the {MAX_OBJECTS} largest')


class OfMany(BaseModel):
    """One photo of several: its answer, or why there is none."""

    name: str
    answer: Answer | None = None
    problem: str | None = None


class Answers(BaseModel):
    """An entry for each photo, in the order of the form."""

    photos: list[OfMany]


class Allowed(BaseModel):
    """The limits of the server."""

    max_megabytes: float
    max_megapixels: float
    max_side: int = Field(description='larger photos are shrunk to it for the model')
    max_batch: int = Field(description='photos in a pass of the model')
    max_photos: int = Field(description='photos in a form')
    max_memory_megabytes: float = Field(description='what uploads may take; beyond it they wait')
    max_waiting: int = Field(description='requests in line; beyond it 503')
    decode_seconds: float
    upload_seconds: float
    photos_per_minute: int | None = Field(description='of one client; null: any number')


class Health(BaseModel):
    """That the server is there, and what it accepts."""

    status: str
    classes: list[str]
    waiting: int = Field(description='requests in line')
    limits: Allowed


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


def to_answer(seen: Seen, classes: ClassList, each: Each = 'class') -> Answer:
    """Describe what the model sees.

    Args:
        seen: A photo, mask and confidence.
        classes: What the labels mean.
        each: Describe each class, or each object.
    """
    parts = [part for label in classes.foreground for part in _parts(seen.mask, label, each)]
    if each == 'object':
        # Sorting keeps the order of the classes among equals.
        parts.sort(key=lambda part: -part.size)
    kept = parts[:MAX_OBJECTS] if each == 'object' else parts
    return Answer(
        height=seen.upload.height,
        width=seen.upload.width,
        found=[_describe(seen, classes, part) for part in kept],
        left_out=len(parts) - len(kept),
    )


class _Part(NamedTuple):
    """The pixels of one class, or of one of its components, in ``(h, w)`` int numbers."""

    label: int
    numbers: np.ndarray
    number: int
    size: int


def _parts(mask: np.ndarray, label: int, each: Each) -> list[_Part]:
    numbers = (mask == label).astype(np.uint8)
    if each == 'object':
        _, numbers = cv2.connectedComponents(numbers, connectivity=8)
    sizes = np.bincount(numbers.ravel()).tolist()
    return [
        _Part(label, numbers, number, size) for number, size in enumerate(sizes) if number and size
    ]


def _describe(seen: Seen, classes: ClassList, part: _Part) -> Found:
    pixels = part.numbers == part.number
    described = describe_mask(full_mask(pixels.astype(np.uint8), seen.upload))
    return Found(
        category_id=part.label,
        category=classes.names[part.label],
        confidence=float(seen.confidence[pixels].mean(dtype=np.float64)),
        area_share=described['area'] / (seen.upload.height * seen.upload.width),
        **described,
    )


def to_png(seen: Seen, classes: ClassList) -> bytes:
    """Return the label mask, in the size of the file, as a palette PNG."""
    file = io.BytesIO()
    mask_image(full_mask(seen.mask, seen.upload), classes).save(file, 'PNG')
    return file.getvalue()
