"""Outlines and textures that the drawn objects are made of.

Outlines are ``(P, 2)`` float arrays around the origin, about 2 units wide; textures are
``(H, W, 3)`` float32 BGR pictures in 0..255.
"""

import cv2
import numpy as np

Rng = np.random.Generator


def blob(rng: Rng, roughness: float, corners: int = 24) -> np.ndarray:
    """Return a closed outline that wobbles around a circle."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radius = np.ones(corners)
    for wave in range(2, 7):
        radius += roughness / wave * rng.normal() * np.sin(wave * angle + rng.uniform(0, 6.3))
    radius += roughness * 0.3 * rng.normal(size=corners)
    radius = np.clip(radius, 0.35, 1.8)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def box(rng: Rng, aspect: float, skew: float = 0.15) -> np.ndarray:
    """Return a quadrilateral ``aspect`` times as high as wide, its corners moved a little."""
    corners = np.array([[-1, -aspect], [1, -aspect], [1, aspect], [-1, aspect]], float)
    return corners / max(1, aspect) + rng.uniform(-skew, skew, (4, 2))


def bottle(rng: Rng) -> np.ndarray:
    """Return the outline of a bottle, its neck at the top."""
    neck, shoulder, width = rng.uniform(0.1, 0.18), rng.uniform(-0.5, -0.2), rng.uniform(0.3, 0.42)
    right = [(neck, -1), (neck, shoulder - 0.2), (width, shoulder + 0.1), (width, 1)]
    return np.array(right + [(-x, y) for x, y in reversed(right)])


def cup(rng: Rng) -> np.ndarray:
    """Return the outline of a cup that narrows towards its bottom."""
    top, bottom = rng.uniform(0.55, 0.75), rng.uniform(0.35, 0.5)
    return np.array([(-top, -0.9), (top, -0.9), (bottom, 0.9), (-bottom, 0.9)])


def gable_pack(rng: Rng) -> np.ndarray:
    """Return the outline of a milk carton."""
    roof = rng.uniform(-0.6, -0.4)
    return np.array([(-0.5, roof), (-0.2, -1), (0.2, -1), (0.5, roof), (0.5, 1), (-0.5, 1)])


def shirt(rng: Rng) -> np.ndarray:
    """Return the outline of a T-shirt."""
    sleeve = rng.uniform(-0.45, -0.25)
    right = [(0.2, -0.8), (0.55, -0.8), (1, sleeve), (0.8, sleeve + 0.2), (0.55, -0.3), (0.55, 1)]
    return np.array(right + [(-x, y) for x, y in reversed(right)])


def place(
    rng: Rng, outline: np.ndarray, center: np.ndarray, radius: float, angle: float
) -> np.ndarray:
    """Turn, scale and move an outline; returns int32 pixel coordinates."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = rng.uniform(0.85, 1.15, 2)
    return np.round(outline * stretch @ turn.T * radius + center).astype(np.int32)


def noise(rng: Rng, size: int, cell: float) -> np.ndarray:
    """Return smooth ``(size, size)`` float32 noise of mean 0 and deviation about 1."""
    coarse = max(2, int(np.ceil(size / cell)))
    grid = rng.normal(size=(coarse, coarse)).astype(np.float32)
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)


def flat(color: np.ndarray, size: int) -> np.ndarray:
    """Return a picture of one color."""
    return np.full((size, size, 3), color, np.float32)


def along(size: int, angle: float, center: np.ndarray) -> np.ndarray:
    """Return each pixel's distance from ``center`` along a direction, ``(size, size)`` float32."""
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    return (columns - center[0]) * np.cos(angle) + (rows - center[1]) * np.sin(angle)


def jitter(rng: Rng, color: tuple, amount: float = 9) -> np.ndarray:
    """Return a color near the given BGR one."""
    return np.clip(np.array(color, float) + rng.normal(0, amount, 3) + rng.normal(0, 6), 0, 255)
