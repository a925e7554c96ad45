"""Choose colors that people can tell apart, also with a color vision deficiency."""

import functools

import cv2
import numpy as np

# Severity 1.0 on linear RGB: Machado, Oliveira & Fernandes, IEEE TVCG 2009, table of matrices.
DEFICIENCIES = (
    (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
)
STEPS = (0, 43, 85, 128, 170, 213, 255)
# What is near black or white cannot be seen on a photo's shadows or on a page.
LIGHTNESS = (30, 90)

Color = tuple[int, int, int]


def distinct_colors(number: int) -> list[Color]:
    """Return colors whose least distance is large, for normal vision and three deficiencies.

    Colors are taken greedily from a grid, each the farthest from those before it, so a longer list
    begins with the shorter one.

    Args:
        number: How many, 0 or more.

    Returns:
        list[Color]: ``(R, G, B)`` in 0..255.
    """
    colors, seen_as = _candidates()
    chosen, nearest = [], np.full(len(colors), np.inf)
    for _ in range(number):
        # The first one is the most saturated: it is far from the grays of concrete and asphalt.
        best = int(nearest.argmax()) if chosen else int(np.ptp(colors.astype(int), axis=1).argmax())
        chosen.append(tuple(colors[best].tolist()))
        distance = np.linalg.norm(seen_as - seen_as[:, best : best + 1], axis=2).min(axis=0)
        nearest = np.minimum(nearest, distance)
    return chosen


def color_distance(first: Color, second: Color) -> float:
    """Return the CIE76 distance of two colors for the viewer who tells them apart least."""
    seen = _as_seen(np.array([first, second], np.uint8))
    return float(np.linalg.norm(seen[:, 0] - seen[:, 1], axis=1).min())


@functools.cache
def _candidates() -> tuple[np.ndarray, np.ndarray]:
    """Return ``(N, 3)`` uint8 RGB and ``(viewers, N, 3)`` CIELAB of a grid of colors."""
    grid = np.stack(np.meshgrid(STEPS, STEPS, STEPS), axis=-1).reshape(-1, 3).astype(np.uint8)
    seen = _as_seen(grid)
    low, high = LIGHTNESS
    keep = (seen[0, :, 0] >= low) & (seen[0, :, 0] <= high)
    return grid[keep], seen[:, keep]


def _as_seen(colors: np.ndarray) -> np.ndarray:
    """Return the CIELAB of ``(N, 3)`` uint8 RGB for normal vision and each deficiency."""
    scaled = colors / 255
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    viewers = [linear, *(linear @ np.array(matrix).T for matrix in DEFICIENCIES)]
    clipped = np.clip(np.stack(viewers), 0, 1).astype(np.float32)
    return np.stack([cv2.cvtColor(one[None], cv2.COLOR_LRGB2Lab)[0] for one in clipped])
