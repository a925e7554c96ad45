"""Writing what a test predicts: masks for programs, pictures for people."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample
from PIL import Image

from mmseg_custom.classes import ClassList, class_list
from mmseg_custom.coco import save_mask
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.coco.result_classes import write_classes
from mmseg_custom.coco.result_photos import photo_name
from mmseg_custom.utils import atomic_path
from mmseg_custom.utils.provenance import FILE, Provenance
from mmseg_custom.visualization import overlay


@HOOKS.register_module()
class SavePredictionsHook(Hook):
    """Write the predicted mask of every tested photo.

    Files keep the photo's place below the image folder (``batch_01/0003.jpg`` gives
    ``batch_01/0003.png``), since numbers repeat from batch to batch.

    Args:
        masks: Folder of the masks, palette PNGs of class indices. None: no masks.
        overlays: Folder of the pictures: photo, truth (where there is one), prediction, side by
            side. None: no pictures.
    """

    def __init__(self, masks: str | None = None, overlays: str | None = None):
        self.masks = masks
        self.overlays = overlays

    def before_test(self, runner: Runner) -> None:
        """Note beside the masks what their labels mean, in the first process only.

        Args:
            runner: The runner.
        """
        if self.masks and not runner.rank:
            classes = class_list(runner.test_dataloader.dataset.metainfo)
            write_classes(Path(self.masks).parent, classes, replace=True)
            Path(self.masks, FILE).unlink(missing_ok=True)

    def after_test(self, runner: Runner) -> None:
        """Note beside the masks which photos they were made from, in the first process only.

        Args:
            runner: The runner.
        """
        if not self.masks or runner.rank:
            return
        dataset = runner.test_dataloader.dataset
        paths = [dataset.get_data_info(place)['img_path'] for place in range(len(dataset))]
        sources = {photo_name(relative_name(path, dataset)): [Path(path)] for path in paths}
        provenance = Provenance(Path(self.masks, FILE), 'test', {})
        provenance.update(sources, silent=True)
        provenance.save()

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[SegDataSample] | None = None,
    ) -> None:
        """Write the files of one batch.

        Args:
            runner: The runner.
            batch_idx: Not used.
            data_batch: Not used.
            outputs: Samples with ``pred_sem_seg`` of ``(1, H, W)`` labels and ``img_path``.
        """
        dataset = runner.test_dataloader.dataset
        classes = class_list(dataset.metainfo)
        for sample in outputs or ():
            name = relative_name(sample.img_path, dataset)
            masks = masks_of(sample)
            if self.masks:
                save_mask(Path(self.masks, name).with_suffix('.png'), masks[-1], classes)
            if self.overlays:
                picture = side_by_side(sample.img_path, masks, classes)
                with atomic_path(Path(self.overlays, name).with_suffix('.jpg')) as temporary:
                    Image.fromarray(picture).save(temporary, quality=92)


def relative_name(img_path: str, dataset) -> str:
    """Return where a photo lies below its dataset's image folder."""
    folder = getattr(dataset, 'data_prefix', {}).get('img_path') or os.path.dirname(img_path)
    name = os.path.relpath(img_path, folder)
    return os.path.basename(img_path) if name.startswith('..') else name


def side_by_side(img_path: str, masks: Sequence[np.ndarray], classes: ClassList) -> np.ndarray:
    """Return the photo and its overlays in one ``(H, W * n, 3)`` uint8 RGB picture."""
    photo = read_photo(img_path)[..., ::-1]
    return np.concatenate([photo] + [overlay(photo, mask, classes) for mask in masks], axis=1)


def masks_of(sample: SegDataSample) -> list[np.ndarray]:
    """Return the truth, where there is one, and the prediction, each ``(H, W)`` uint8 labels."""
    names = [name for name in ('gt_sem_seg', 'pred_sem_seg') if name in sample]
    return [sample.get(name).data.squeeze(0).to(torch.uint8).cpu().numpy() for name in names]
