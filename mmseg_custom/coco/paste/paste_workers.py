"""The photos of a paste set, and the objects to choose from, written by several processes."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from mmseg_custom.utils import UserError, atomic_path, write_json
from mmseg_custom.utils.parallel import keep_shared
from mmseg_custom.utils.progress import tqdm

from .paste_photo import PasteOptions, PasteSource, cut_visible, paste_photo
from .patch_choice import PatchChoice

JPEG_QUALITY = 95
PHOTOS, PARTS, PATCHES = 'pasted', 'parts', 'patches'

# What this process works on, set once when it starts.
_work = {}


def photo_name(index: int) -> str:
    """Return where photo ``index`` of a set is, relative to the set's folder."""
    return f'{PHOTOS}/{index:06d}.jpg'


def part_name(index: int) -> str:
    """Return where the annotations of photo ``index`` are until the COCO file is written."""
    return f'{PARTS}/{index:06d}.json'


def write_parts(
    source: PasteSource, options: PasteOptions, out: Path, aug_num: int, workers: int
) -> None:
    """Make the photos that are not there yet.

    Args:
        source: What they are made from.
        options: How they are made.
        out: Folder of the set.
        aug_num: Number of photos of the set.
        workers: Number of processes.

    Raises:
        UserError: A photo is missing or unfit.
    """
    # The part is written last, so that a photo that has one is complete.
    waiting = [
        index
        for index in range(aug_num)
        if not ((out / part_name(index)).exists() and (out / photo_name(index)).exists())
    ]
    choice = PatchChoice(source.classes_of, options.labels)
    state = (source, options, choice, out)
    _in_parallel(_write_part, waiting, state, workers, 'pasting', aug_num)


def write_patches(source: PasteSource, options: PasteOptions, out: Path, workers: int) -> int:
    """Write each object that may be pasted as a transparent PNG, and return their number.

    Args:
        source: Where the objects are.
        options: Says which classes.
        out: Folder of the set; they are written to ``patches/<class>/`` in it.
        workers: Number of processes.
    """
    rows = [row for row, held in enumerate(source.classes_of) if held.intersection(options.labels)]
    state = (source, options, PatchChoice(source.classes_of, options.labels), out)
    return sum(_in_parallel(_write_patches_of, rows, state, workers, 'extracting', len(rows)))


def _in_parallel(
    work: Callable, items: list[int], state: tuple, workers: int, what: str, total: int
) -> list:
    with (
        tqdm(total=total, initial=total - len(items), desc=what, unit='photo') as bar,
        ProcessPoolExecutor(workers, initializer=_start_worker, initargs=state) as pool,
    ):
        try:
            results = []
            for result in pool.map(work, items, chunksize=4):
                results.append(result)
                bar.update()
            return results
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _start_worker(
    source: PasteSource, options: PasteOptions, choice: PatchChoice, out: Path
) -> None:
    cv2.setNumThreads(0)
    keep_shared()
    _work.update(source=source, options=options, choice=choice, out=out)


def _write_part(index: int) -> None:
    out = _work['out']
    photo, image, entries = paste_photo(_work['source'], _work['options'], _work['choice'], index)
    _write_picture(out / photo_name(index), photo, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    write_json(out / part_name(index), dict(image=image, annotations=entries))


def _write_patches_of(row: int) -> int:
    source, count = _work['source'], 0
    photo, layers = source.load(row)
    stem = source.content['images'][row]['file_name'].replace('/', '_').rpartition('.')[0]
    for place, layer in enumerate(layers.layers):
        patch = layer.label in _work['choice'].labels and cut_visible(photo, layers, place)
        if patch:
            folder = _work['out'] / PATCHES / source.classes.names[layer.label].replace(' ', '_')
            cut_out = np.dstack([patch.pixels, 255 * patch.mask])
            _write_picture(folder / f'{stem}_{place}.png', cut_out)
            count += 1
    return count


def _write_picture(path: Path, picture: np.ndarray, options: list[int] | None = None) -> None:
    with atomic_path(path) as temporary:
        if not cv2.imwrite(str(temporary), picture, options or []):
            raise UserError(f'{path}: cannot be written; is the disk full?')
