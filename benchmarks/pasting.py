"""CopyPaste beside the decode of the second photo, against the plain way to do it."""

import copy

import cv2
import numpy as np
from mmseg.registry import DATASETS

from mmseg_custom.transforms import CopyPaste

from .photos import load_photos
from .timing import Comparison, compare

SAMPLES = 100


def run() -> Comparison:
    """Compare pasting onto the same photos from the same second photos.

    The peer does what the published scripts for semantic masks do (AICVHub's
    Copy-Paste-for-Semantic-Segmentation): flip and scale the full second photo and its mask, crop
    or pad them to the frame, and paste all of its objects. Ours scales up to three objects alone.
    """
    dataset, what = load_photos()
    load = [dict(type='LoadTrashImage'), dict(type='LoadTrashAnnotations')]
    leaf = dict(
        type='TrashCocoDataset', ann_file=dataset.ann_file, data_root=dataset.data_root,
        pipeline=load,
    )  # fmt: skip
    loaded = DATASETS.build(leaf)
    items = [loaded[index] for index in range(len(loaded))]
    np.random.seed(0)
    transform = CopyPaste(prob=1.0)
    pairs = []
    for index in range(SAMPLES):
        onto = copy.deepcopy(items[index % len(items)])
        pairs.append(onto | dict(mix_results=[items[transform.get_indices(loaded)[0]]]))

    def peer() -> None:
        for pair in pairs:
            paste_plainly(pair['img'], pair['gt_seg_map'], pair['mix_results'][0])

    return compare(
        f'copy-paste ({what})',
        lambda: [transform(pair) for pair in pairs],
        'the full second photo scaled and pasted',
        peer,
        SAMPLES,
        goal=1.0,
    )


def paste_plainly(photo: np.ndarray, mask: np.ndarray, second: dict) -> None:
    """Paste all objects of a second photo, scaled by 0.2 to 2 and perhaps flipped."""
    height, width = mask.shape
    scale = np.random.uniform(0.2, 2.0)
    size = max(1, int(width * scale)), max(1, int(height * scale))
    pixels = cv2.resize(second['img'], size, interpolation=cv2.INTER_LINEAR)
    labels = cv2.resize(second['gt_seg_map'], size, interpolation=cv2.INTER_NEAREST)
    if np.random.random() < 0.5:
        pixels, labels = pixels[:, ::-1], labels[:, ::-1]
    left, top = (
        np.random.randint(abs(a - b) + 1) for a, b in ((size[0], width), (size[1], height))
    )
    if scale > 1:
        pixels = pixels[top : top + height, left : left + width]
        labels = labels[top : top + height, left : left + width]
    else:
        framed, framed_labels = np.zeros_like(photo), np.zeros_like(mask)
        framed[top : top + size[1], left : left + size[0]] = pixels
        framed_labels[top : top + size[1], left : left + size[0]] = labels
        pixels, labels = framed, framed_labels
    objects = labels > 0
    photo[:] = np.where(objects[..., None], pixels, photo)
    mask[:] = np.where(objects, labels, mask)
