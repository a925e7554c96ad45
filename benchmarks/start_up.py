"""Start of a training's dataset, against one that pycocotools fills."""

import contextlib
import io
import os
import tempfile

import numpy as np
from mmseg.datasets import BaseSegDataset
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.datasets import TrashCocoDataset

from .annotations import write_annotations
from .timing import Comparison, compare

IMAGES = 3272


class PlainCoco(BaseSegDataset):
    """What one writes first: pycocotools reads the file, and a loop makes the list."""

    METAINFO = built_in().to_metainfo()

    def load_data_list(self) -> list[dict]:
        """Return one dict a photo, objects in painting order."""
        with contextlib.redirect_stdout(io.StringIO()):
            api = COCO(self.ann_file)
        classes = self.METAINFO['classes']
        labels = {entry['id']: classes.index(entry['name']) for entry in api.cats.values()}
        samples = []
        for image_id, image in api.imgs.items():
            objects = sorted(api.imgToAnns[image_id], key=lambda entry: -entry['area'])
            annotations = [
                (labels[entry['category_id']], [np.array(xy) for xy in entry['segmentation']])
                for entry in objects
            ]
            img_path = os.path.join(self.data_prefix['img_path'], image['file_name'])
            size = dict(height=image['height'], width=image['width'])
            samples.append(dict(img_path=img_path, **size, annotations=annotations))
        return samples


def run() -> Comparison:
    """Compare what a process does before its first photo; the lists are checked to be equal.

    Both read the JSON and hand the same list to MMEngine, which packs it for the workers. Ours
    checks every entry and looks for every photo besides; the peer does not.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = write_annotations(folder, IMAGES)
        args = dict(ann_file=path.name, data_root=folder)
        ours, peer = TrashCocoDataset(**args), PlainCoco(**args)
        for index in range(IMAGES):
            require_equal(ours.get_data_info(index), peer.get_data_info(index))
        return compare(
            f'start-up of the dataset ({IMAGES} images)',
            lambda: TrashCocoDataset(**args),
            "an mmseg dataset that pycocotools' COCO fills, unchecked",
            lambda: PlainCoco(**args),
            1,
            goal=1.0,
        )


def require_equal(ours: dict, plain: dict) -> None:
    """Raise when two samples say different things."""
    for key in ('img_path', 'height', 'width'):
        assert ours[key] == plain[key]
    pairs = zip(ours['annotations'], plain['annotations'], strict=True)
    for (label, polygons), (other, others) in pairs:
        assert label == other
        assert all(np.array_equal(a, b) for a, b in zip(polygons, others, strict=True))
