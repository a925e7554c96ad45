"""Decode a photo: judge its header first, then return it upright, 8-bit RGB.

Every command decodes photos here, so that one file has the same pixels everywhere:

- EXIF rotation is applied.
- 16-bit samples are scaled to 8 bits by their high byte, as libpng does.
- Transparency is dropped: the color stored under it counts, as for OpenCV's ``IMREAD_COLOR``.
- Gray, 1-bit, palette and CMYK photos become RGB.
- Of an animation or a multi-picture file, the first picture is taken.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, JpegImagePlugin, UnidentifiedImageError

from mmseg_custom.utils import UserError

from .jpeg_scans import MAX_SCANS, count_scans

# The one limit of all commands: about 300 MB of pixels.
MAX_PIXELS = 100_000_000
FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF')
FORMAT, SIZE, DAMAGE = 'format', 'size', 'damage'
FIRST_LYING = 5
# By the value of the EXIF tag (CIPA DC-008).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow warns of photos that are below our limit, and of metadata that nobody reads.
warnings.filterwarnings('ignore', module=r'PIL\.')


class PhotoProblem(UserError):
    """A photo that is refused.

    Args:
        reason: What the photo "is" or "has".
        fault: ``'format'``, ``'size'`` or ``'damage'``.
        path: Its file, when it is known.
    """

    def __init__(self, reason: str, fault: str = DAMAGE, path: str | os.PathLike | None = None):
        super().__init__(reason if path is None else f'{path}: the photo {reason}')
        self.reason = reason
        self.fault = fault


def open_photo(
    file: BinaryIO, formats: Sequence[str] = FORMATS, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Read the header of a photo and judge it; no pixel is decoded.

    Args:
        file: The file, which must stay open until the photo is decoded.
        formats: Pillow's names of the formats that are accepted. The first bytes of the file
            decide, not its name.
        max_pixels: Largest width times height.

    Raises:
        PhotoProblem: The format is not accepted, the photo has too many pixels or scans, or its
            header is damaged.
    """
    with _blaming_file():
        try:
            image = Image.open(file, formats=tuple(formats))
        except UnidentifiedImageError:
            names = ', '.join(formats)
            raise PhotoProblem(f'is truncated or no image (accepted: {names})', FORMAT) from None
        except Image.DecompressionBombError:
            raise PhotoProblem(f'is {_over(max_pixels)}', SIZE) from None
    require_decodable(image, max_pixels)
    return image


def require_decodable(image: Image.Image, max_pixels: int = MAX_PIXELS) -> None:
    """Raise when decoding an opened image would take too much memory or time.

    Args:
        image: As Pillow opened it, decoded or not.
        max_pixels: Largest width times height.

    Raises:
        PhotoProblem: It has too many pixels, none at all, or too many scans.
    """
    width, height = image.size
    if width * height > max_pixels:
        raise PhotoProblem(f'has {width}x{height} pixels, {_over(max_pixels)}', SIZE)
    if not width * height:
        raise PhotoProblem('has no pixels', DAMAGE)
    file = getattr(image, 'fp', None)
    if isinstance(image, JpegImagePlugin.JpegImageFile) and file and not file.closed:
        place = file.tell()
        file.seek(0)
        content = file.read()
        file.seek(place)
        if count_scans(content) > MAX_SCANS:
            raise PhotoProblem(f'has more than {MAX_SCANS} progressive scans', SIZE)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return ``(height, width)`` in pixels of an opened image after EXIF rotation.

    Raises:
        PhotoProblem: The metadata is damaged.
    """
    width, height = image.size
    with _blaming_file():
        # Pillow states the size of a TIFF as it is after the rotation.
        lying = _orientation(image) >= FIRST_LYING
    return (width, height) if lying and image.format != 'TIFF' else (height, width)


def upright_rgb(
    image: Image.Image, max_side: int | None = None, rotate: bool = True
) -> Image.Image:
    """Decode an opened image.

    Args:
        image: As :func:`open_photo` returns it, or any Pillow image.
        max_side: Shrink a photo whose longer side has more pixels; None: never.
        rotate: Apply EXIF rotation.

    Returns:
        Image.Image: Mode RGB.

    Raises:
        PhotoProblem: The pixels are damaged, or have no known range (32-bit samples).
    """
    with _blaming_file():
        if max_side:
            # A JPEG is decoded at the smallest size that is enough, in a fraction of the memory.
            image.draft(None, (2 * max_side, 2 * max_side))
        image.load()
        turn = TURNS.get(_orientation(image)) if rotate else None
        rgb = _to_rgb(image)
        if max_side:
            rgb.thumbnail((max_side, max_side))
        return rgb if turn is None else rgb.transpose(turn)


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(ExifTags.Base.Orientation)
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == 'RGB':
        return image
    if image.mode.startswith('I;16') or (image.mode == 'I' and image.format == 'PNG'):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ('I', 'F'):
        raise PhotoProblem('has 32-bit samples, whose range is unknown', FORMAT)
    elif image.mode == 'P' and 'transparency' in image.info:
        image = image.convert('RGBA')
    return image.convert('RGB')


def _over(max_pixels: int) -> str:
    return f'over the limit of {max_pixels / 1e6:g} megapixels'


@contextmanager
def _blaming_file() -> Iterator[None]:
    """Decoders raise anything at bytes that were made to break them: the file is to blame."""
    try:
        yield
    except PhotoProblem:
        raise
    except Exception as error:
        raise PhotoProblem(f'is truncated or no image ({error})', DAMAGE) from None
