"""Segmenting an experiment's validation photos to look at what comes out."""

import time
from collections.abc import Iterator, Sized
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from mmengine.config import Config
from mmengine.registry import DATASETS

from mmseg_custom.apis.segmentation import segment_named
from mmseg_custom.apis.segmenter import TrashSegmenter
from mmseg_custom.classes import ClassList
from mmseg_custom.evaluation.photo_tally import PhotoTally
from mmseg_custom.experiment.broken_photos import skip_broken, skipped_photos
from mmseg_custom.experiment.datasets import leaf_datasets
from mmseg_custom.hooks.save_predictions_hook import relative_name
from mmseg_custom.utils import UserError
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.visualization.pages.gallery import Gallery

KEPT_STEPS = ('Load', 'Pack')


class ValidationPhotos(Sized):
    """The validation set of an experiment, photos and truth in the files' own size.

    Args:
        cfg: Its ``val_dataloader`` is used.

    Attributes:
        skipped (list[str]): Why photos are left out that cannot be read.

    Raises:
        UserError: There is none, or its files are missing.
    """

    def __init__(self, cfg: Config):
        if not cfg.get('val_dataloader'):
            raise UserError(f'{cfg.filename}: has no val_dataloader', kind='no-validation-set')
        dataset = deepcopy(cfg.val_dataloader.dataset)
        for leaf in leaf_datasets(dataset):
            leaf.pipeline = [step for step in leaf.pipeline if step.type.startswith(KEPT_STEPS)]
        skip_broken(dataset)
        self.dataset = DATASETS.build(dataset)
        self.skipped = skipped_photos(self.dataset)

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Yield the name, the photo, ``(H, W, 3)`` uint8 RGB, and ``(H, W)`` uint8 labels.

        Raises:
            UserError: A photo cannot be read or has no label.
        """
        for index in range(len(self)):
            sample = self.dataset[index]
            labels = sample['data_samples']
            if 'gt_sem_seg' not in labels:
                raise UserError(f'{labels.img_path}: has no labels to compare with; label it')
            photo = np.ascontiguousarray(sample['inputs'].numpy()[::-1].transpose(1, 2, 0))
            truth = labels.gt_sem_seg.data[0].numpy().astype(np.uint8)
            yield relative_name(labels.img_path, self.dataset), photo, truth


@dataclass(frozen=True)
class PhotoResults:
    """What came out.

    Attributes:
        tally: Sums over all photos.
        gallery: Pictures of them.
        seconds: Median time for one photo, from the array to the labels.
        device: Where the model ran.
        classes: That it knows.
        photos: How many there are.
        skipped: Why some of them could not be read.
    """

    tally: PhotoTally
    gallery: Gallery
    seconds: float
    device: str
    classes: ClassList
    photos: int
    skipped: list[str]


def look_at_photos(
    segmenter: TrashSegmenter, photos: ValidationPhotos, number: int
) -> PhotoResults:
    """Segment every photo once, one at a time.

    Args:
        segmenter: The model.
        photos: At least one.
        number: How many are shown as the worst and as the best.
    """
    tally = PhotoTally(len(segmenter.classes))
    gallery, seconds = Gallery(number, segmenter.classes), []
    for name, photo, truth in tqdm(photos, desc='predicting', unit='photo'):
        start = time.perf_counter()
        found = segment_named(segmenter, photo, name)
        seconds.append(time.perf_counter() - start)
        score = tally.add(truth, found.mask, found.probabilities, name)
        gallery.add(name, photo, truth, found.mask, score)
    # The first photo also pays for what is set up once.
    median = float(np.median(seconds[1:] or seconds))
    return PhotoResults(
        tally,
        gallery,
        median,
        str(segmenter.device),
        segmenter.classes,
        len(photos) + len(photos.skipped),
        photos.skipped,
    )
