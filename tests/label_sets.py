"""Random labeled photos: overlapping objects, holes, several parts, awkward names."""

from collections import Counter

import numpy as np
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as mask_utils

from mmseg_custom.coco.segmentation import compact_segmentation, describe_mask
from mmseg_custom.formats import LabeledObject, LabeledPhoto, PhotoSet

NAMES = ('Paper pack', '유리 병', 'A&B <c>')
FILES = ('사진 1.png', 'deep er/b.png')


def rle(mask):
    return compact_segmentation(describe_mask(mask)['segmentation'])


@st.composite
def segmentations(draw, height, width):
    """Noise (many parts and holes), or one or two polygons that may cross each other."""
    if draw(st.booleans()):
        generator = np.random.default_rng(draw(st.integers(0, 99)))
        mask = generator.random((height, width)) < draw(st.sampled_from((0.1, 0.5, 0.9)))
        mask[generator.integers(height), generator.integers(width)] = True
        return rle(mask)
    point = st.tuples(st.floats(0, width), st.floats(0, height))
    polygons = draw(st.lists(st.lists(point, min_size=3, max_size=6), min_size=1, max_size=2))
    return tuple(np.array(one, np.float64).ravel() for one in polygons)


@st.composite
def label_sets(draw, folder):
    photos = []
    for name in FILES[: draw(st.integers(1, 2))]:
        height, width = draw(st.integers(3, 12)), draw(st.integers(3, 12))
        sure = draw(st.booleans())
        objects = []
        for _ in range(draw(st.integers(0, 4))):
            one = LabeledObject(
                draw(st.sampled_from((*NAMES, 'ignore'))),
                draw(segmentations(height, width)),
                draw(st.floats(0, 1)) if sure else None,
            )
            if pixels(one, height, width).any():
                objects.append(one)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (width, height)).save(path)
        photos.append(LabeledPhoto(name, height, width, tuple(objects), path))
    return PhotoSet(tuple(photos), NAMES)


def pixels(one, height, width):
    """The pixels of an object, as pycocotools says."""
    if isinstance(one.segmentation, bytes):
        return mask_utils.decode(dict(size=[height, width], counts=one.segmentation)) > 0
    listed = [polygon.tolist() for polygon in one.segmentation]
    return mask_utils.decode(mask_utils.merge(mask_utils.frPyObjects(listed, height, width))) > 0


def seen(photo):
    """The class that is seen at each pixel, painted object by object."""
    picture = np.full((photo.height, photo.width), '', object)
    for one in photo.objects:
        picture[pixels(one, photo.height, photo.width)] = one.name
    return picture.tolist()


def content(photo):
    """All that a format can keep of a photo."""
    objects = Counter(
        (one.name, pixels(one, photo.height, photo.width).tobytes(), one.confidence)
        for one in photo.objects
    )
    return photo.file_name, photo.height, photo.width, set(objects.items()), seen(photo)


def contents(photos):
    """All that a format can keep of photos, by name."""
    return {photo.file_name: content(photo) for photo in photos}
