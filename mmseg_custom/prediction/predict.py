"""Run a model over many photos: the one loop of all commands; it continues after a stop."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np

from mmseg_custom.apis.segmentation import Segmentation, Segmenter, segment_named
from mmseg_custom.utils import UserError
from mmseg_custom.utils.kept_memory import keep_freed_memory
from mmseg_custom.utils.non_finite import NonFiniteOutput
from mmseg_custom.utils.processes import gather, rank_and_size
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.thread_pool import thread_pool

from .photo_sources import PhotoSource
from .results import PredictedFiles

READERS = 2
# A photo, what the model sees of it, and its own height and width.
Readable = tuple[PhotoSource, np.ndarray, tuple[int, int]]
WRITERS = os.cpu_count() or 1


def predict_photos(
    segmenter: Segmenter,
    photos: Sequence[PhotoSource],
    outputs: PredictedFiles,
    batch_size: int = 4,
    strict: bool = False,
    max_side: int | None = None,
) -> list[tuple[str, str]]:
    """Predict what is not done yet. Memory does not grow with the number of photos.

    Of several processes each takes its fraction, and all return the same.

    Args:
        segmenter: The model, or several as one.
        photos: What to predict.
        outputs: Where to write.
        batch_size: Photos that go through the model together, if they have one size.
        strict: Stop at the first photo that cannot be read.
        max_side: Photos whose longer side has more pixels are shrunk to it first; masks are written
            in the photo's own size all the same. None: no photo is.

    Returns:
        list[tuple[str, str]]: Name and reason of each photo that could not be read.

    Raises:
        UserError: A photo cannot be read, and ``strict``.
    """
    keep_freed_memory()
    batches = [photos[start : start + batch_size] for start in range(0, len(photos), batch_size)]
    # Always the same photos together: a batch of others gives other last digits.
    rank, world_size = rank_and_size()
    own = batches[rank::world_size]
    waiting = [batch for batch in own if not all(outputs.are_there(p.name) for p in batch)]
    total = sum(map(len, own))
    done = total - sum(map(len, waiting))
    skipped = []
    with (
        tqdm(total=total, initial=done, unit='photo', disable=rank > 0) as bar,
        thread_pool(READERS) as readers,
        thread_pool(WRITERS) as writers,
    ):
        unwritten = deque()
        for batch in _ahead(readers, waiting, max_side):
            readable = list(_readable(batch, skipped, strict))
            results = _segment(segmenter, readable) if readable else []
            if outputs.need_probabilities:
                # Computed here, since each writer would start PyTorch's threads once more.
                _ = [result.probabilities for result in results]
            for (source, photo, size), result in zip(readable, results, strict=True):
                unwritten.append(writers.submit(outputs.write, source.name, photo, result, size))
            bar.update(len(batch) - len(readable))
            _wait(unwritten, WRITERS, bar)
        _wait(unwritten, 0, bar)
    return [photo for of_process in gather(skipped) for photo in of_process]


def _segment(segmenter: Segmenter, readable: Sequence[Readable]) -> list[Segmentation]:
    if len(readable) == 1:
        source, photo, _ = readable[0]
        name = source.file_name if source.frame else os.fspath(source.path)
        return [segment_named(segmenter, photo, name)]
    try:
        return segmenter.batch([photo for _, photo, _ in readable])
    except NonFiniteOutput:
        # In a batch of several sizes each photo is a batch of its own: find out which one it was.
        return [result for one in readable for result in _segment(segmenter, [one])]


def _wait(unwritten: deque[Future], allowed: int, bar: tqdm) -> None:
    """Wait until few photos are left to be written, so that they do not pile up in memory."""
    while len(unwritten) > allowed:
        unwritten.popleft().result()
        bar.update()


def _ahead(
    pool: ThreadPoolExecutor, batches: Iterable[Sequence[PhotoSource]], max_side: int | None
) -> Iterator[list[tuple[PhotoSource, Future]]]:
    """Yield batches in order while the next one is being read."""
    running = deque()
    for batch in batches:
        running.append([(photo, pool.submit(_read, photo, max_side)) for photo in batch])
        if len(running) > 1:
            yield running.popleft()
    yield from running


def _read(photo: PhotoSource, max_side: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """Return a photo, shrunk if it is too large, and its own height and width."""
    pixels = photo.read()
    height, width = pixels.shape[:2]
    if max_side and max(height, width) > max_side:
        scale = max_side / max(height, width)
        new = [max(1, round(side * scale)) for side in (width, height)]
        pixels = cv2.resize(pixels, new, interpolation=cv2.INTER_AREA)
    return pixels, (height, width)


def _readable(
    batch: list[tuple[PhotoSource, Future]], skipped: list, strict: bool
) -> Iterator[Readable]:
    """Yield the photos of a batch; note those that cannot be read."""
    for source, future in batch:
        try:
            yield source, *future.result()
        except UserError as error:
            if strict:
                raise
            skipped.append((source.name, str(error)))
