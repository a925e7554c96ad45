"""The ground that objects lie on, with things on it that are no trash."""

from typing import Any

import cv2
import numpy as np

from . import shapes
from .objects import any_angle, fill


def background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a textured ground with confusers and uneven light.

    Args:
        rng: Source of randomness.
        size: Side in pixels.

    Returns:
        np.ndarray: ``(size, size, 3)`` float32 BGR, about 0..255.
    """
    kinds: Any = [_plain, _tiles, _planks, _gravel]
    ground = rng.choice(kinds)(rng, size)
    ground += 4 * shapes.noise(rng, size, size / 12)[..., None]
    ground += rng.normal(0, rng.uniform(1, 4), ground.shape).astype(np.float32)
    for _ in range(rng.integers(0, 3)):
        things: Any = [_leaf, _stone, _white_tile, _cable]
        rng.choice(things)(rng, ground)
    return ground


def light(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return how bright each pixel is lit, ``(size, size, 1)`` float32 around 1."""
    center = np.full(2, size / 2)
    slope = shapes.along(size, any_angle(rng), center) / size
    field = 1 + rng.uniform(0, 0.25) * slope + 0.06 * shapes.noise(rng, size, size / 2)
    if rng.random() < 0.4:
        edge = shapes.along(size, any_angle(rng), center) - rng.uniform(-0.3, 0.3) * size
        field *= 1 - 0.25 / (1 + np.exp(-edge / (0.02 * size)))
    return (rng.uniform(0.9, 1.08) * field)[..., None].astype(np.float32)


GROUNDS = ((120, 125, 130), (95, 115, 130), (145, 152, 160), (85, 90, 95), (110, 124, 118))


def _ground_color(rng) -> np.ndarray:
    return shapes.jitter(rng, GROUNDS[rng.integers(len(GROUNDS))], 6)


def _plain(rng, size) -> np.ndarray:
    return shapes.flat(_ground_color(rng), size)


def _tiles(rng, size) -> np.ndarray:
    picture = _plain(rng, size)
    angle, period = any_angle(rng), rng.uniform(0.15, 0.4) * size
    for turn in (0, np.pi / 2):
        place = shapes.along(size, angle + turn, rng.uniform(0, size, 2)) % period
        picture[place < max(1.5, 0.012 * size)] -= 45
    return picture


def _planks(rng, size) -> np.ndarray:
    picture = shapes.flat(shapes.jitter(rng, (75, 105, 140), 8), size)
    place = shapes.along(size, any_angle(rng), rng.uniform(0, size, 2))
    grain = np.sin(place * 0.9 + 2 * shapes.noise(rng, size, size / 5))
    picture += (10 * grain)[..., None]
    picture[place % (0.18 * size) < 2] -= 50
    return picture


def _gravel(rng, size) -> np.ndarray:
    return _plain(rng, size) + 10 * shapes.noise(rng, size, size / rng.uniform(30, 60))[..., None]


def _spot(rng, size) -> np.ndarray:
    return rng.uniform(0.05, 0.95, 2) * size


def _paint(ground, outline, color) -> None:
    ground[fill(len(ground), outline)] = color


def _leaf(rng, ground) -> None:
    size = len(ground)
    axes = (int(rng.uniform(0.03, 0.08) * size), int(rng.uniform(0.015, 0.03) * size))
    outline = cv2.ellipse2Poly(
        _spot(rng, size).astype(int).tolist(), axes, rng.integers(360), 0, 360, 12
    )
    _paint(ground, outline, shapes.jitter(rng, ((50, 120, 70), (40, 90, 150))[rng.integers(2)], 15))


def _stone(rng, ground) -> None:
    size = len(ground)
    radius = rng.uniform(0.02, 0.08) * size
    outline = shapes.place(rng, shapes.blob(rng, 0.2, 14), _spot(rng, size), radius, 0)
    _paint(ground, outline, shapes.jitter(rng, (130, 130, 130), 15))


def _white_tile(rng, ground) -> None:
    size = len(ground)
    radius = rng.uniform(0.05, 0.12) * size
    outline = shapes.place(rng, shapes.box(rng, 1, 0.02), _spot(rng, size), radius, any_angle(rng))
    _paint(ground, outline, shapes.jitter(rng, (205, 210, 215), 10))


def _cable(rng, ground) -> None:
    size = len(ground)
    points = np.cumsum(rng.normal(0, 0.08 * size, (12, 2)), 0) + _spot(rng, size)
    color = [float(v) for v in shapes.jitter(rng, (40, 40, 45), 15)]
    cv2.polylines(ground, [points.astype(np.int32)], False, color, max(1, size // 90))
