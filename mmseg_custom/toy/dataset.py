"""Writing a drawn set in the contest's layout."""

import json
import os
from pathlib import Path

import cv2

from mmseg_custom.classes import built_in
from mmseg_custom.coco import make_coco
from mmseg_custom.utils import UserError, atomic_path, write_json
from mmseg_custom.utils.progress import tqdm
from mmseg_custom.utils.provenance import FILE, Provenance

from .scene import draw_scene

LAYOUT_VERSION = 2
MIN_SIZE, JPEG_QUALITY = 32, 92
SPLITS = ('train', 'val', 'test')
JSONS = ('train_all', *SPLITS)
CONTRIBUTOR = 'trash-seg'
LICENSE = dict(id=0, name='CC0 1.0', url='https://creativecommons.org/publicdomain/zero/1.0/')


def write_toy_set(
    out: str | os.PathLike,
    train: int = 480,
    val: int = 80,
    test: int = 20,
    size: int = 128,
    seed: int = 0,
    force: bool = False,
) -> bool:
    """Draw a data set, unless the same one is there already.

    The photos of a split do not depend on how many there are, nor on the other splits.

    Args:
        out: Folder; gets ``train_all.json`` (training and validation), ``train.json``,
            ``val.json``, ``test.json`` (no annotations), and ``batch_01`` to ``batch_03``.
        train: Number of training photos.
        val: Number of validation photos.
        test: Number of test photos.
        size: Side of the photos in pixels.
        seed: Another seed, other photos.
        force: Draw even when the same set, or another drawn one, is there.

    Returns:
        bool: Whether anything was drawn.

    Raises:
        UserError: The photos would be too small, or other data or another set is in the folder.
    """
    if size < MIN_SIZE:
        raise UserError(f'photos of {size} px are too small: take a size of {MIN_SIZE} or more')
    out = Path(out)
    made_from = dict(version=LAYOUT_VERSION, train=train, val=val, test=test, size=size, seed=seed)
    counts = (train, val, test)
    _require_ours(out)
    provenance = Provenance(out / FILE, 'make_toy_trash', made_from, are_results=False)
    if not force:
        provenance.open()
        if provenance.file.exists() and _is_complete(out, counts):
            return False
    provenance.file.unlink(missing_ok=True)
    photos = {}
    with tqdm(total=sum(counts), desc='drawing', unit='photo') as bar:
        for number, (split, count) in enumerate(zip(SPLITS, counts, strict=True)):
            photos[split] = []
            for index in range(count):
                photos[split].append(_write_photo(out, seed, number, index, size))
                bar.update()
    for name, parts in dict(
        train_all=photos['train'] + photos['val'], train=photos['train'], val=photos['val']
    ).items():
        write_json(out / f'{name}.json', _coco(parts))
    write_json(out / 'test.json', _coco([(image, []) for image, _ in photos['test']]))
    # Last, so that a set that was interrupted is drawn again.
    provenance.save()
    return True


def _read_json(path: Path):
    """Return what a JSON file holds; None when it is missing, cut short or something else."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (FileNotFoundError, ValueError):
        return None


def _is_complete(out: Path, counts: tuple[int, int, int]) -> bool:
    """Whether every file of a set is there; somebody may have deleted some since."""
    names = [f'{name}.json' for name in JSONS]
    for split, count in enumerate(counts):
        names += [_photo_name(split, index) for index in range(count)]
    return all((out / name).is_file() for name in names)


def _require_ours(out: Path) -> None:
    """Raise when the folder holds annotations that were not drawn here, such as the contest's."""
    for path in (out / f'{name}.json' for name in JSONS):
        if not path.exists():
            continue
        content = _read_json(path)
        info = content.get('info') if isinstance(content, dict) else None
        if not isinstance(info, dict) or info.get('contributor') != CONTRIBUTOR:
            raise UserError(f'{path}: is no toy set and would be lost', kind='folder-in-use')


def _photo_name(split: int, index: int) -> str:
    return f'batch_{split + 1:02d}/{index:04d}.jpg'


def _write_photo(out: Path, seed: int, split: int, index: int, size: int) -> tuple[dict, list]:
    picture, annotations = draw_scene((seed, split, index), index, size)
    name = _photo_name(split, index)
    with atomic_path(out / name) as temporary:
        written = cv2.imwrite(str(temporary), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not written:
            raise UserError(f'{out / name}: cannot be written; is the disk full?')
    image = dict(license=0, url=None, file_name=name, height=size, width=size, date_captured=None)
    return image, annotations


def _coco(photos: list[tuple[dict, list]]) -> dict:
    """Put photos and annotations together as the contest's files do."""
    info = dict(
        year=2026,
        version='1.0',
        description='Drawn trash in the layout of the recycle-trash contest',
        contributor=CONTRIBUTOR,
        url=None,
        date_created='2026-11-23 00:00:00',
    )
    return make_coco(info, [LICENSE], photos, built_in())
