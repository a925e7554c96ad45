"""What ``python -m benchmarks.scale`` measures: the set, and the commands that work on it.

Four photos and four masks have as many names as there are images (hard links): a command reads each
name as a file of its own, only the disk's cache is spared.
"""

import contextlib
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = 4


def write_set(folder: Path, images: int) -> Path:
    """Write annotations, photos and masks, and return the annotation file."""
    from mmseg_custom.classes import built_in
    from mmseg_custom.coco import save_mask
    from mmseg_custom.coco.masks import sample_mask

    from .annotations import link_in_turn, write_annotations
    from .photos import load_photos

    dataset, _ = load_photos()
    samples = [dataset.get_data_info(number) for number in range(FILES)]
    ann = write_annotations(folder, images, [sample['img_path'] for sample in samples])
    masks = [folder / f'{number}.png' for number in range(FILES)]
    for mask, sample in zip(masks, samples, strict=True):
        save_mask(mask, sample_mask(sample, Path(), dataset.class_list), built_in())
    (folder / 'masks' / 'photos').mkdir(parents=True)
    link_in_turn(masks, [folder / f'masks/photos/{number:06d}.png' for number in range(images)])
    return ann


def _import_dataset() -> None:
    import mmseg_custom.datasets  # noqa: F401


def _start(path: str) -> None:
    from mmseg_custom.datasets import TrashCocoDataset

    TrashCocoDataset(path, data_root=os.path.dirname(path))


def _sample(path: str) -> None:
    from mmseg_custom.datasets import TrashCocoDataset
    from mmseg_custom.datasets.samplers import RepeatFactorSampler

    dataset = TrashCocoDataset(path, data_root=os.path.dirname(path))
    next(iter(RepeatFactorSampler(dataset, threshold=0.1, seed=0)))


def _import_split() -> None:
    import iterstrat.ml_stratifiers  # noqa: F401

    import mmseg_custom.coco  # noqa: F401
    import mmseg_custom.coco.stats.statistics  # noqa: F401


def _command(name: str, *options: str) -> Callable[[str], None]:
    """Return a function that runs a command on an annotation file.

    Args:
        name: Its file without suffix, such as ``tools/browse``.
        *options: Its words; ``{ann}`` is the file, ``{out}`` a place for results, ``{masks}`` the
            folder of the masks.
    """

    def work(path: str) -> None:
        tool = runpy.run_path(str(ROOT / f'{name}.py'))
        folder = Path(path).parent
        places = dict(ann=path, masks=folder / 'masks', out=folder / Path(name).name)
        words = [word.format(**places) for word in options]
        with contextlib.redirect_stdout(sys.stderr):
            tool['run'](tool['build_parser']().parse_args(words))

    return work


# What is imported before the clock starts, and what is measured.
WORKS = {
    'start-up': (_import_dataset, _start),
    'sampler': (_import_dataset, _sample),
    'k-fold': (_import_split, _command('data_prep/stratified_kfold', '{ann}', '--out', '{out}')),
    'statistics': (
        _import_split,
        _command('data_prep/dataset_statistics', '{ann}', '--no-photos', '--out', '{out}'),
    ),
    'check': (_import_split, _command('data_prep/check', '{ann}', '--no-photos')),
    'oversample': (_import_split, _command('data_prep/oversample', '{ann}', '--out', '{out}.json')),
    'copy-paste': (
        _import_split,
        _command(
            'data_prep/copy_paste', '--json-path', '{ann}', '--aug-num', '100', '--out', '{out}'
        ),
    ),
    'browse': (_import_split, _command('tools/browse', '{ann}', '--out', '{out}.html')),
    'submit': (
        _import_split,
        _command('tools/submit', '{ann}', '--masks', '{masks}', '--out', '{out}.csv'),
    ),
}
