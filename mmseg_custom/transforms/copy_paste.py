"""Copy-paste: objects of a second photo pasted into a photo while training."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmseg_custom.coco import IGNORE_INDEX, labels_of_names, paint
from mmseg_custom.coco.paste.patch_choice import PatchChoice
from mmseg_custom.coco.paste.patches import cut_patch, draw_placement, fit_patch, paste_pixels
from mmseg_custom.coco.segmentation import Segmentation
from mmseg_custom.datasets.class_lists import class_lists, dataset_classes
from mmseg_custom.utils import UserError

# Keys by which a transform says that annotations do not fit the pixels any more.
MOVED = ('scale', 'scale_factor', 'flip')


@TRANSFORMS.register_module()
class CopyPaste(BaseTransform):
    """Paste complete objects of chosen classes from a second photo, each with a size of its own.

    After Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
    Segmentation" (CVPR 2021), for semantic masks. Runs in ``MultiImageMixDataset``, which loads the
    second photo; a class is drawn first, each with the same probability however rare it is, and
    then a photo that holds it. An object is what an annotation covers, or a connected component of
    the mask where the second photo has none or was moved before. What is hidden by an object of
    another class, or ignored, is not copied.

    Required keys: ``img`` (``(H, W, 3)`` uint8), ``gt_seg_map`` (``(H, W)`` uint8), ``mix_results``
    (the same of at most one other photo, optionally with its ``annotations``). ``img`` and
    ``gt_seg_map`` are changed.

    Args:
        prob: Probability that something is pasted.
        patch: Names of the classes whose objects are pasted; None: all but the background.
        remove_patch: Names of the classes whose objects are not.
        scale_range: Smallest and largest scale factor of an object (large-scale jitter).
        max_objects: At most so many objects are pasted; at least one is.
        feather: Width in pixels of the rim over which an object fades in.

    Raises:
        UserError: Wrong options, or classes that the dataset does not have.
    """

    def __init__(
        self,
        prob: float = 0.5,
        patch: Sequence[str] | None = None,
        remove_patch: Sequence[str] = (),
        scale_range: tuple[float, float] = (0.2, 2.0),
        max_objects: int = 3,
        feather: int = 0,
    ):
        if not 0 <= prob <= 1:
            raise UserError(f'CopyPaste: prob={prob}: give a probability from 0 to 1')
        if not 0 < scale_range[0] <= scale_range[1]:
            raise UserError(f'CopyPaste: scale_range={scale_range}: give two factors above 0')
        if max_objects < 1 or feather < 0:
            raise UserError('CopyPaste: max_objects is at least 1 and feather at least 0')
        self.prob = prob
        self.patch = patch
        self.remove_patch = remove_patch
        self.scale_range = (scale_range[0], scale_range[1])
        self.max_objects = max_objects
        self.feather = feather
        self._choice: PatchChoice | None = None

    def get_indices(self, dataset) -> list[int]:
        """Draw the second photo; ``MultiImageMixDataset`` calls this and loads it.

        Args:
            dataset: See :func:`mmseg_custom.datasets.class_lists.class_lists`.

        Returns:
            list[int]: At most one index; none when nothing is to be pasted this time.
        """
        if np.random.random() >= self.prob:
            return []
        return [self._choice_of(dataset).photo(_generator())]

    def _choice_of(self, dataset) -> PatchChoice:
        if self._choice is None:
            self._choice = self._make_choice(dataset)
        return self._choice

    def _make_choice(self, dataset) -> PatchChoice:
        classes = dataset_classes(dataset)
        removed = labels_of_names(self.remove_patch, classes)
        wanted = labels_of_names(self.patch or classes.names, classes)
        labels = set(wanted) - set(removed) - {classes.background}
        # By name: another order of the class list draws the same.
        ordered = sorted(labels, key=lambda label: classes.names[label])
        choice = PatchChoice(class_lists(dataset), ordered)
        if not choice.labels:
            raise UserError(
                f'CopyPaste: no photo holds a class to paste (patch={self.patch}, '
                f'remove_patch={self.remove_patch}); choose others'
            )
        return choice

    def transform(self, results: dict) -> dict:
        """Paste objects of the second photo, if there is one."""
        if 'mix_results' not in results:
            raise UserError(
                'CopyPaste: there is no second photo; put it into the pipeline of a '
                'MultiImageMixDataset, as configs/_base_/options/copy_paste.py does'
            )
        # Numbers are drawn the same way by a fresh worker as by one that pasted before.
        if self._choice is None or not results['mix_results']:
            return results
        rng = _generator()
        for donor in results['mix_results']:
            objects = list(_objects(donor))
            labels = [label for label, _ in objects]
            for place in self._choice.objects(labels, self.max_objects, rng):
                label, segmentation = objects[place]
                inside = _inside(donor['gt_seg_map'], label, segmentation)
                self._paste(results, donor['img'], inside, label, rng)
        return results

    def _paste(self, results: dict, photo: np.ndarray, inside, label: int, rng) -> None:
        patch = cut_patch(photo, inside, label)
        if patch is None:
            return
        placement = draw_placement(rng, patch, results['img'].shape[:2], self.scale_range)
        pixels, mask = fit_patch(patch, placement)
        left, top = placement.left, placement.top
        paste_pixels(results['img'], pixels, mask, left, top, self.feather)
        window = results['gt_seg_map'][top : top + mask.shape[0], left : left + mask.shape[1]]
        cv2.copyTo(np.full_like(window, label), mask, window)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, patch={self.patch}, '
            f'remove_patch={self.remove_patch}, scale_range={self.scale_range}, '
            f'max_objects={self.max_objects}, feather={self.feather})'
        )


def _generator() -> np.random.Generator:
    """Return a generator that follows from the state of NumPy's own, which a run seeds."""
    return np.random.default_rng(np.random.randint(2**31))


def _objects(donor: dict) -> Iterator[tuple[int, Segmentation | np.ndarray]]:
    """Yield label and extent of each object: a segmentation, or an ``(H, W)`` uint8 mask."""
    if 'annotations' in donor and not any(key in donor for key in MOVED):
        yield from donor['annotations']
        return
    seg_map = donor['gt_seg_map']
    labels, first = np.unique(seg_map, return_index=True)
    # By the first pixel: another order of the class list gives the same objects in the same order.
    for label in labels[np.argsort(first)]:
        if label == IGNORE_INDEX:
            continue
        count, parts = cv2.connectedComponents((seg_map == label).view(np.uint8), connectivity=8)
        for number in range(1, count):
            yield int(label), (parts == number).view(np.uint8)


def _inside(seg_map: np.ndarray, label: int, extent: Segmentation | np.ndarray) -> np.ndarray:
    """Return the ``(H, W)`` uint8 mask of what can be seen of an object."""
    if not isinstance(extent, np.ndarray):
        height, width = seg_map.shape
        extent = paint([(1, extent)], height, width, fill=0)
    return cv2.bitwise_and(extent, (seg_map == label).view(np.uint8))
