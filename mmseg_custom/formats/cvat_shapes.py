"""The shapes of CVAT's XML."""

from xml.etree import ElementTree

import numpy as np

from .model import LabeledPhoto
from .reading import as_size

CORNERS_OF_ELLIPSE = 128


def polygon_text(polygon: np.ndarray) -> str:
    """Return the corners of a polygon as the XML has them."""
    return ';'.join(f'{x!r},{y!r}' for x, y in polygon.reshape(-1, 2).tolist())


def mask_attributes(mask: np.ndarray) -> dict[str, str]:
    """Return the box of a mask, and its run lengths row by row, zeros first."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = rows[0], columns[0]
    box = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    flat = np.concatenate([[0], box.ravel()])
    changes = np.flatnonzero(np.diff(flat))
    runs = np.diff([0, *changes, box.size])
    size = dict(left=left, top=top, width=box.shape[1], height=box.shape[0])
    rle = ', '.join(map(str, runs.tolist()))
    return dict(rle=rle, **{key: str(value) for key, value in size.items()})


def mask_of(shape: ElementTree.Element, photo: LabeledPhoto) -> np.ndarray:
    """Return the ``(H, W)`` bool mask of a ``<mask>``.

    Raises:
        ValueError: It does not fit into the photo.
    """
    left, top = (int(float(shape.attrib[key])) for key in ('left', 'top'))
    width, height = (as_size(shape.attrib[key]) for key in ('width', 'height'))
    runs = np.array(shape.attrib['rle'].split(','), np.int64)
    inside = 0 <= left <= photo.width - width and 0 <= top <= photo.height - height
    if not inside or (runs < 0).any() or int(runs.sum()) != width * height:
        raise ValueError('a mask that does not fit into its photo')
    values = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask = np.zeros((photo.height, photo.width), bool)
    mask[top : top + height, left : left + width] = values.reshape(height, width)
    return mask


def polygon_of(shape: ElementTree.Element) -> list[float]:
    """Return the corners of a ``<polygon>``, ``<box>`` or ``<ellipse>`` as x0, y0, x1, y1, …"""
    get = shape.attrib
    if shape.tag == 'polygon':
        return [float(v) for point in get['points'].split(';') for v in point.split(',')]
    if shape.tag == 'box':
        x0, y0, x1, y1 = (float(get[key]) for key in ('xtl', 'ytl', 'xbr', 'ybr'))
        points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    elif shape.tag == 'ellipse':
        cx, cy, rx, ry = (float(get[key]) for key in ('cx', 'cy', 'rx', 'ry'))
        angle = np.linspace(0, 2 * np.pi, CORNERS_OF_ELLIPSE, endpoint=False)
        points = np.stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)], axis=1)
    else:
        raise ValueError(f'the shape {shape.tag!r}')
    turn = np.deg2rad(float(get.get('rotation', 0)))
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    turned = (points - center) @ matrix + center if turn else points
    return turned.ravel().tolist()
