"""A generated set in the layout of the public Recycle Trash Dataset."""

import json
from pathlib import Path

import cv2
import numpy as np

NAMES = (
    'UNKNOWN', 'General trash', 'Paper', 'Paper pack', 'Metal', 'Glass', 'Plastic', 'Styrofoam',
    'Plastic bag', 'Battery', 'Clothing',
)  # fmt: skip
SIZE = (60, 44)


def write_batches(folder: Path, batches: int = 3, photos: int = 3, with_folder=False) -> Path:
    """Write ``data/batch_NN/data.json`` with photos ``0000.jpg``, …; return ``data``."""
    rng = np.random.default_rng(0)
    for batch in range(1, batches + 1):
        home = folder / 'data' / f'batch_{batch:02d}'
        home.mkdir(parents=True)
        images, annotations = [], []
        for number in range(photos):
            width, height = SIZE if number % 2 else SIZE[::-1]
            # Smooth, so JPEG changes it little.
            picture = cv2.blur(rng.integers(0, 256, (height, width, 3), np.uint8), (9, 9))
            assert cv2.imwrite(str(home / f'{number:04d}.jpg'), picture)
            name = f'{home.name}/{number:04d}.jpg' if with_folder else f'{number:04d}.jpg'
            images.append(dict(id=number, file_name=name, height=height, width=width))
            annotations += [
                annotation(rng, len(annotations) + n, number, (width, height)) for n in range(4)
            ]
        categories = [dict(id=n, name=name, supercategory=name) for n, name in enumerate(NAMES)]
        content = dict(
            info={}, licenses=[], images=images, annotations=annotations, categories=categories
        )
        (home / 'data.json').write_text(json.dumps(content))
    return folder / 'data'


def annotation(rng, number: int, image: int, size: tuple[int, int]) -> dict:
    """Return a polygon of one of the classes, UNKNOWN among them."""
    points = rng.uniform(0, size, (5, 2)).round(1)
    box = [*points.min(axis=0).tolist(), *np.ptp(points, axis=0).tolist()]
    return dict(
        id=number,
        image_id=image,
        category_id=number % len(NAMES),
        segmentation=[points.ravel().tolist()],
        area=float(rng.integers(20, 900)),
        bbox=box,
        iscrowd=0,
    )
