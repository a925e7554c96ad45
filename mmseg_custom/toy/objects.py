"""One function a class: each draws an object of its kind.

A drawer takes ``(rng, size, center, radius)``, where ``center`` is ``(x, y)`` and all lengths are
pixels, and returns ``(picture, mask, opacity)``: ``(size, size, 3)`` float32 BGR in 0..255,
``(size, size)`` bool, and a number or ``(size, size)`` array in 0..1.
"""

import cv2
import numpy as np

from . import shapes

Drawn = tuple[np.ndarray, np.ndarray, float | np.ndarray]


def fill(size: int, *outlines: np.ndarray) -> np.ndarray:
    """Return the ``(size, size)`` bool mask of closed outlines."""
    mask = np.zeros((size, size), np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [outline], 1)
    return mask.astype(bool)


def any_angle(rng) -> float:
    """Return a direction in radians."""
    return float(rng.uniform(0, 2 * np.pi))


def general_trash(rng, size, center, radius) -> Drawn:
    """Draw a crumpled thing of several dark colors."""
    outline = shapes.place(rng, shapes.blob(rng, 0.5), center, radius, any_angle(rng))
    picture = shapes.flat(shapes.jitter(rng, (55, 60, 75)), size)
    patches = shapes.noise(rng, size, radius / 1.5) > 0.5
    picture[patches] = shapes.jitter(rng, (70, 60, 150), 30)
    picture += 28 * shapes.noise(rng, size, max(2, radius / 5))[..., None]
    return picture, fill(size, outline), 1.0


def paper(rng, size, center, radius) -> Drawn:
    """Draw a sheet with lines of text, or a piece of brown cardboard."""
    angle = any_angle(rng)
    outline = shapes.place(rng, shapes.box(rng, rng.uniform(0.6, 1.5)), center, radius, angle)
    if rng.random() < 0.6:
        picture = shapes.flat(shapes.jitter(rng, (95, 150, 195), 9), size)
        picture += (9 * np.sin(shapes.along(size, angle, center) * 1.6))[..., None]
    else:
        picture = shapes.flat(shapes.jitter(rng, (215, 225, 228), 10), size)
        rows = np.sin(shapes.along(size, angle + np.pi / 2, center) * 6.3 / max(3, radius / 5))
        inside = np.abs(shapes.along(size, angle, center)) < 0.65 * radius
        picture[(rows > 0.6) & inside & (shapes.noise(rng, size, 3) > -0.5)] -= 120
    return picture, fill(size, outline), 1.0


def paper_pack(rng, size, center, radius) -> Drawn:
    """Draw a milk carton: colored below, white above."""
    angle = float(rng.normal(0, 0.7))
    outline = shapes.place(rng, shapes.gable_pack(rng), center, radius, angle)
    picture = shapes.flat(shapes.jitter(rng, (235, 235, 235), 8), size)
    color = shapes.jitter(rng, ((60, 150, 60), (180, 90, 40), (60, 60, 190))[rng.integers(3)], 12)
    down = shapes.along(size, angle + np.pi / 2, center)
    picture[(down > -0.1 * radius) & (down < 0.75 * radius)] = color
    picture[np.abs(down + 0.5 * radius) < max(1, 0.04 * radius)] -= 70
    across = shapes.along(size, angle, center)
    picture[across > 0.15 * radius] *= 0.8
    return picture, fill(size, outline), 1.0


def metal(rng, size, center, radius) -> Drawn:
    """Draw a can: gray with bright bands along it and a printed label."""
    angle = any_angle(rng)
    outline = shapes.place(rng, shapes.box(rng, rng.uniform(1.5, 1.9), 0.06), center, radius, angle)
    across = shapes.along(size, angle, center) / (0.45 * radius)
    shine = 150 + 80 * np.cos(across * 4.2 + rng.uniform(-1, 1)) * np.exp(-across * across)
    picture = np.repeat(shine[..., None], 3, 2).astype(np.float32)
    label = np.abs(shapes.along(size, angle + np.pi / 2, center)) < rng.uniform(0, 0.5) * radius
    picture[label] *= shapes.jitter(rng, (90, 90, 200), 35) / 200
    return picture, fill(size, outline), 1.0


def glass(rng, size, center, radius) -> Drawn:
    """Draw a green or brown bottle that lets the ground through, or its broken ring."""
    angle = any_angle(rng)
    color = shapes.jitter(rng, ((50, 110, 45), (30, 65, 110))[rng.integers(2)], 12)
    picture = shapes.flat(color, size)
    across = shapes.along(size, angle, center)
    picture[np.abs(across - 0.15 * radius) < max(1, 0.05 * radius)] += 110
    if rng.random() < 0.25:
        mask = ring(size, center, 0.7 * radius, rng.uniform(0.45, 0.7))
    else:
        mask = fill(size, shapes.place(rng, shapes.bottle(rng), center, radius, angle))
    return picture, mask, 0.72


def plastic(rng, size, center, radius) -> Drawn:
    """Draw a bluish see-through bottle with a cap, a cup, or a lid with a hole."""
    angle = any_angle(rng)
    picture = shapes.flat(shapes.jitter(rng, (225, 190, 150), 9), size)
    down = shapes.along(size, angle + np.pi / 2, center)
    picture += (22 * np.sin(down * 6.3 / max(3, radius / 4)))[..., None]
    kind = rng.random()
    if kind < 0.25:
        return picture, ring(size, center, 0.6 * radius, rng.uniform(0.5, 0.75)), 0.8
    form = shapes.bottle(rng) if kind < 0.7 else shapes.cup(rng)
    picture[down < -0.82 * radius] = shapes.jitter(rng, (200, 90, 40), 20)
    return picture, fill(size, shapes.place(rng, form, center, radius, angle)), 0.62


def styrofoam(rng, size, center, radius) -> Drawn:
    """Draw a white block of beads."""
    outline = shapes.place(
        rng, shapes.box(rng, rng.uniform(0.5, 1.1), 0.25), center, radius, any_angle(rng)
    )
    picture = shapes.flat(shapes.jitter(rng, (240, 240, 240), 5), size)
    picture -= (35 * (shapes.noise(rng, size, 2.5) > 0.9))[..., None]
    return picture, fill(size, outline), 1.0


def plastic_bag(rng, size, center, radius) -> Drawn:
    """Draw a large soft bag with wrinkles."""
    colors = ((215, 215, 215), (35, 32, 30), (200, 120, 40), (70, 215, 230))
    outline = shapes.place(rng, shapes.blob(rng, 0.3, 40), center, radius, any_angle(rng))
    picture = shapes.flat(shapes.jitter(rng, colors[rng.choice(4, p=(0.1, 0.3, 0.3, 0.3))]), size)
    wrinkles = np.abs(shapes.noise(rng, size, max(3, radius / 2.5)))
    picture += (70 * (wrinkles < 0.12) - 25 * (np.abs(wrinkles - 0.5) < 0.12))[..., None]
    soft = 0.75 + 0.12 * shapes.noise(rng, size, max(3, radius / 2))
    return picture, fill(size, outline), np.clip(soft, 0.5, 0.97)


def battery(rng, size, center, radius) -> Drawn:
    """Draw one or two small cylinders of two colors."""
    outlines, angle = [], any_angle(rng)
    side = np.array([np.cos(angle), np.sin(angle)]) * radius * 0.75
    for step in range(rng.integers(1, 3)):
        form = shapes.box(rng, 2.6, 0.03)
        outlines.append(shapes.place(rng, form, center + step * side, radius, angle))
    picture = shapes.flat(shapes.jitter(rng, (35, 35, 35), 10), size)
    lengthwise = shapes.along(size, angle + np.pi / 2, center)
    picture[lengthwise < -0.35 * radius] = shapes.jitter(rng, (60, 140, 205), 14)
    return picture, fill(size, *outlines), 1.0


def clothing(rng, size, center, radius) -> Drawn:
    """Draw a T-shirt of striped cloth."""
    angle = any_angle(rng)
    outline = shapes.place(rng, shapes.shirt(rng), center, radius, angle)
    picture = shapes.flat(shapes.jitter(rng, (130, 60, 110), 30), size)
    stripes = np.sin(shapes.along(size, angle + np.pi / 2, center) * 6.3 / max(4, radius / 3)) > 0.2
    picture[stripes] = shapes.jitter(rng, (190, 180, 190), 15)
    picture += 12 * shapes.noise(rng, size, max(2, radius / 3))[..., None]
    return picture, fill(size, outline), 1.0


def ring(size: int, center: np.ndarray, radius: float, hole: float) -> np.ndarray:
    """Return the mask of a disc with a hole of ``hole`` times its radius."""
    distance = np.hypot(shapes.along(size, 0, center), shapes.along(size, np.pi / 2, center))
    return (distance < radius) & (distance > hole * radius)


# By label - 1: the drawer, how common it is, and its radius as a fraction of the image's side.
KINDS = (
    (general_trash, 0.14, (0.09, 0.2)),
    (paper, 0.18, (0.12, 0.28)),
    (paper_pack, 0.08, (0.16, 0.3)),
    (metal, 0.08, (0.14, 0.26)),
    (glass, 0.07, (0.16, 0.3)),
    (plastic, 0.13, (0.15, 0.3)),
    (styrofoam, 0.09, (0.12, 0.28)),
    (plastic_bag, 0.2, (0.18, 0.35)),
    (battery, 0.012, (0.08, 0.13)),
    (clothing, 0.018, (0.2, 0.33)),
)
