"""Predicting many photos: batches, files that are written whole, and going on after a stop."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from mmseg_custom.coco import contest_coco, load_mask, mask_annotations, save_mask
from mmseg_custom.utils import UserError, atomic_path, write_json

from .photo_sources import PhotoSource
from .segmentation import Segmentation
from .segmenter import TrashSegmenter

READERS = 2
OVERLAY_QUALITY = 90


@dataclass(frozen=True)
class Outputs:
    """Where results go; each photo's files have its name.

    Attributes:
        folder: Gets ``masks`` (palette PNG), and what follows.
        overlays: Whether to write ``overlays`` (JPEG).
        probabilities: Whether to write ``probabilities`` (``.npz``, ``(C, H, W)`` float16).
    """

    folder: Path
    overlays: bool = False
    probabilities: bool = False

    def paths(self, name: str) -> dict[str, Path]:
        """Return the files of one photo by kind; the mask, written last, is last."""
        kinds = {'overlays': (self.overlays, 'jpg'), 'probabilities': (self.probabilities, 'npz')}
        wanted = {k: suffix for k, (is_wanted, suffix) in kinds.items() if is_wanted}
        wanted['masks'] = 'png'
        return {kind: self.folder / kind / f'{name}.{s}' for kind, s in wanted.items()}

    def are_there(self, name: str) -> bool:
        """Tell whether a photo is done."""
        return all(path.is_file() for path in self.paths(name).values())

    def write(self, name: str, photo: np.ndarray, result: Segmentation) -> None:
        """Write the files of one photo.

        Args:
            name: Its name.
            photo: ``(H, W, 3)`` uint8 RGB.
            result: What was found in it.
        """
        paths = self.paths(name)
        if 'overlays' in paths:
            with atomic_path(paths['overlays']) as temporary:
                Image.fromarray(result.overlay(photo)).save(temporary, quality=OVERLAY_QUALITY)
        if 'probabilities' in paths:
            with atomic_path(paths['probabilities']) as temporary:
                np.savez_compressed(temporary, result.probabilities.astype(np.float16))
        save_mask(paths['masks'], result.mask, result.palette)


def predict_photos(
    segmenter: TrashSegmenter,
    photos: Sequence[PhotoSource],
    outputs: Outputs,
    batch_size: int = 4,
    strict: bool = False,
) -> list[tuple[str, str]]:
    """Predict what is not done yet. Memory does not grow with the number of photos.

    Args:
        segmenter: The model.
        photos: What to predict.
        outputs: Where to write.
        batch_size: Photos that go through the model together, if they have one size.
        strict: Stop at the first photo that cannot be read.

    Returns:
        list[tuple[str, str]]: Name and reason of each photo that could not be read.

    Raises:
        UserError: A photo cannot be read, and ``strict``.
    """
    batches = [photos[start : start + batch_size] for start in range(0, len(photos), batch_size)]
    # Always the same photos together: a batch of others gives other last digits.
    waiting = [batch for batch in batches if not all(outputs.are_there(p.name) for p in batch)]
    done = len(photos) - sum(map(len, waiting))
    skipped = []
    with (
        tqdm(total=len(photos), initial=done, unit='photo') as bar,
        ThreadPoolExecutor(READERS) as pool,
    ):
        for batch in _ahead(pool, waiting):
            readable = list(_readable(batch, skipped, strict))
            results = segmenter.batch([photo for _, photo in readable])
            for (source, photo), result in zip(readable, results, strict=True):
                outputs.write(source.name, photo, result)
            bar.update(len(batch))
    return skipped


def _ahead(
    pool: ThreadPoolExecutor, batches: Iterable[Sequence[PhotoSource]]
) -> Iterator[list[tuple[PhotoSource, Future]]]:
    """Yield batches in order while the next one is being read."""
    running = deque()
    for batch in batches:
        running.append([(photo, pool.submit(photo.read)) for photo in batch])
        if len(running) > 1:
            yield running.popleft()
    yield from running


def _readable(
    batch: list[tuple[PhotoSource, Future]], skipped: list, strict: bool
) -> Iterator[tuple[PhotoSource, np.ndarray]]:
    """Yield the photos of a batch; note those that cannot be read."""
    for source, future in batch:
        try:
            yield source, future.result()
        except UserError as error:
            if strict:
                raise
            skipped.append((source.name, str(error)))


def write_coco(photos: Sequence[PhotoSource], outputs: Outputs, num_classes: int) -> Path:
    """Describe the written masks as one COCO file; painting it gives the masks.

    Args:
        photos: What was predicted; those without a mask are left out.
        outputs: Where the masks are; ``predictions.json`` is written beside them.
        num_classes: Number of classes.

    Returns:
        Path: The file.
    """
    entries = []
    for photo in tqdm(photos, desc='describing', unit='mask'):
        path = outputs.paths(photo.name)['masks']
        if path.is_file():
            with Image.open(path) as image:
                width, height = image.size
            mask = load_mask(path, height, width, num_classes)
            entry = photo.image or dict(file_name=photo.path.name, height=height, width=width)
            entries.append((entry, list(mask_annotations(mask, num_classes=num_classes))))
    content = contest_coco(dict(description='Predictions of trash-seg'), [], entries)
    target = outputs.folder / 'predictions.json'
    write_json(target, content)
    return target


def require_same_run(folder: Path, made_from: dict) -> None:
    """Note what results are made from, or raise when the folder holds those of something else.

    Args:
        folder: Of the results.
        made_from: Model and options.

    Raises:
        UserError: Names the folder.
    """
    path = folder / 'predict.json'
    if not path.exists():
        write_json(path, made_from)
    elif json.loads(path.read_text(encoding='utf-8')) != made_from:
        raise UserError(
            f'{folder}: holds predictions of another model or other options; delete it, or choose '
            'another --out'
        )
