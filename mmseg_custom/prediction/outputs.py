"""The files of predictions: masks, overlays, probabilities, one COCO file."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.classes import ClassList
from mmseg_custom.coco import load_mask, make_coco, mask_annotations, save_mask
from mmseg_custom.coco.masks import part_means
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.utils import atomic_path, write_json
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.provenance import FILE
from mmseg_custom.utils.thread_pool import thread_pool

from .label_size import resized_labels
from .photo_sources import PhotoSource
from .probabilities import FOLDER, write_probabilities

OVERLAY_QUALITY = 90
SCORES = 'scores'
SUFFIXES = {'overlays': '.jpg', FOLDER: '.npz', SCORES: '.json', 'masks': '.png'}


@dataclass(frozen=True)
class Outputs:
    """Where results go; each photo's files have its name.

    Attributes:
        folder: Gets ``masks`` (palette PNG), and what follows.
        overlays: Whether to write ``overlays`` (JPEG).
        probabilities: Whether to write ``probabilities`` (``.npz``, ``(C, H, W)`` float16).
        crf: Refines what is written; None: nothing does.
        scores: Whether to write ``scores`` (``.json``): the mean probability of each object.
    """

    folder: Path
    overlays: bool = False
    probabilities: bool = False
    crf: DenseCrf | None = None
    scores: bool = False

    @property
    def need_probabilities(self) -> bool:
        """Whether more than the labels decides over what is written."""
        return self.probabilities or self.scores or self.crf is not None

    def paths(self, name: str) -> dict[str, Path]:
        """Return the files of one photo by kind; the mask, written last, is last."""
        wanted = {'overlays': self.overlays, FOLDER: self.probabilities}
        wanted |= {SCORES: self.scores, 'masks': True}
        return {kind: self._path(kind, name) for kind, is_wanted in wanted.items() if is_wanted}

    def paths_of(self, photos: Iterable[PhotoSource]) -> Iterator[Path]:
        """Yield all files that will be written."""
        yield from (self.folder / name for name in ('predictions.json', FILE))
        for photo in photos:
            yield from self.every_path(photo.name)

    def every_path(self, name: str) -> list[Path]:
        """Return all files that a photo may have, wanted or not."""
        return [self._path(kind, name) for kind in SUFFIXES]

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / kind / (name + SUFFIXES[kind])

    def are_there(self, name: str) -> bool:
        """Return whether a photo is done."""
        return all(path.is_file() for path in self.paths(name).values())

    def write(
        self,
        name: str,
        photo: Any,
        result: Segmentation,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Write the files of one photo.

        Args:
            name: Its name.
            photo: ``(H, W, 3)`` uint8 RGB; None if neither a CRF nor an overlay needs it.
            result: What was found in it.
            size: Height and width that the mask gets; None: those of the result.
        """
        own = result
        if self.crf is not None:
            result = result.refined(photo, self.crf)
        paths = self.paths(name)
        if 'overlays' in paths:
            with atomic_path(paths['overlays']) as temporary:
                Image.fromarray(result.overlay(photo)).save(temporary, quality=OVERLAY_QUALITY)
        if FOLDER in paths:
            write_probabilities(paths[FOLDER], result.probabilities)
        size = result.mask.shape if size is None else size
        mask = resized_labels(result.mask, size)
        if SCORES in paths:
            # The model's, since a CRF is sure of nearly everything.
            sure = resized_labels(replace(own, mask=result.mask).confidence, size)
            write_json(paths[SCORES], list(part_means(mask, sure, result.classes)))
        save_mask(paths['masks'], mask, result.classes)


def write_coco(photos: Sequence[PhotoSource], outputs: Outputs, classes: ClassList) -> Path:
    """Describe the written masks as one COCO file; painting it gives the masks.

    Each annotation has its ``score`` if scores were written.

    File names are relative to the input, a frame's such as ``v.mp4#000012``.

    Args:
        photos: What was predicted; those without a mask are left out.
        outputs: Where the masks are; ``predictions.json`` is written beside them.
        classes: What the labels mean.

    Returns:
        Path: The file.
    """
    with thread_pool(os.cpu_count() or 1) as pool:
        found = pool.map(partial(_described, outputs=outputs, classes=classes), photos)
        bar = tqdm(found, total=len(photos), desc='describing', unit='mask')
        entries = [entry for entry in bar if entry is not None]
    content = make_coco(dict(description='Predictions of trash-seg'), [], entries, classes)
    target = outputs.folder / 'predictions.json'
    write_json(target, content)
    return target


def _described(
    photo: PhotoSource, outputs: Outputs, classes: ClassList
) -> tuple[dict[str, Any], list[dict]] | None:
    """Return the image entry of a photo and its annotations, None if it has no mask."""
    path = outputs.paths(photo.name)['masks']
    if not path.is_file():
        return None
    with Image.open(path) as image:
        width, height = image.size
    mask = load_mask(path, height, width, classes)
    entry = dict(photo.image or {}, file_name=photo.file_name, height=height, width=width)
    if photo.frame is not None:
        entry |= dict(frame=photo.frame.number, seconds=photo.frame.seconds)
    annotations = list(mask_annotations(mask, classes))
    if (scores := outputs.paths(photo.name).get(SCORES)) is not None:
        means = json.loads(scores.read_text(encoding='utf-8'))
        annotations = [
            dict(annotation, score=score)
            for annotation, score in zip(annotations, means, strict=True)
        ]
    return entry, annotations
