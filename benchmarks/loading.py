"""Photo and label mask of a sample, against imread + annToMask for each annotation."""

import contextlib
import io

import cv2
import numpy as np
from pycocotools.coco import COCO

from mmseg_custom.transforms import LoadTrashAnnotations, LoadTrashImage

from .photos import load_photos
from .timing import Comparison, compare


def run() -> Comparison:
    """Compare both; the masks are checked to be equal first."""
    dataset, what = load_photos()
    with contextlib.redirect_stdout(io.StringIO()):
        api = COCO(dataset.ann_file)
    label_of = {c['id']: dataset.metainfo['classes'].index(c['name']) for c in api.cats.values()}
    image, annotations = LoadTrashImage(), LoadTrashAnnotations()

    def ours(index: int) -> np.ndarray:
        return annotations(image(dataset.get_data_info(index)))['gt_seg_map']

    def peer(index: int) -> np.ndarray:
        info = infos[index]
        cv2.imread(info['img_path'])
        mask = np.zeros((info['height'], info['width']), np.uint8)
        for annotation in by_area[index]:
            mask[api.annToMask(annotation) == 1] = label_of[annotation['category_id']]
        return mask

    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    by_area = [sorted(api.imgToAnns[i['img_id']], key=lambda a: -a['area']) for i in infos]
    for index in range(len(dataset)):
        assert np.array_equal(ours(index), peer(index))
    return compare(
        f'photo + mask ({what})',
        lambda: [ours(i) for i in range(len(dataset))],
        'cv2.imread + pycocotools annToMask',
        lambda: [peer(i) for i in range(len(dataset))],
        len(dataset),
        goal=0.5,
    )
