"""Parts of an experiment that have a name: the files of a folder in ``configs/_base_``."""

from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from .errors import UserError

BASES = Path(__file__).resolve().parents[2] / 'configs' / '_base_'
# What stays in front of the augmentations when others are chosen, beside loading.
BEFORE_AUGMENTATIONS = ('CopyPaste', 'Resize')


def part_names(folder: str) -> list[str]:
    """Return the names that :func:`read_part` knows in a folder of ``configs/_base_``."""
    return sorted(path.stem for path in (BASES / folder).glob('*.py'))


def read_part(folder: str, name: str, variable: str) -> Any:
    """Return one variable of ``configs/_base_/FOLDER/NAME.py``.

    Args:
        folder: Such as ``augmentations``.
        name: The file's name without suffix.
        variable: What to return of it.

    Raises:
        UserError: There is no such file.
    """
    path = BASES / folder / f'{name}.py'
    if not path.is_file():
        raise UserError(f'{name!r} is none of the {folder}: {", ".join(part_names(folder))}')
    return Config.fromfile(str(path))[variable]


def set_augmentation(cfg: Config, name: str) -> None:
    """Train with the augmentations of ``configs/_base_/augmentations/NAME.py``.

    They take the place of what stands between loading (copy-paste, shrinking) and packing.

    Args:
        cfg: Changed in place.
        name: See :func:`part_names`.

    Raises:
        UserError: No such augmentations, or no training pipeline that ends with ``cfg.pack``.
    """
    augmentation = read_part('augmentations', name, f'{name}_augmentation')
    pipelines = list(_packing_pipelines(cfg.train_dataloader.dataset, cfg.pack))
    if not pipelines:
        raise UserError(
            f"{cfg.filename}: no training pipeline ends with the config's `pack`, so that there is "
            'no place for augmentations: build it as configs/_base_/datasets/trash_coco.py does'
        )
    for dataset in pipelines:
        kept = [t for t in dataset.pipeline if t in cfg.load or t.type in BEFORE_AUGMENTATIONS]
        dataset.pipeline = [*kept, *augmentation, *cfg.pack]


def _packing_pipelines(dataset: ConfigDict, pack: list[dict]):
    """Yield the datasets and wrappers whose pipelines end with ``pack``."""
    pipeline = dataset.get('pipeline') or []
    if pack and pipeline[-len(pack) :] == pack:
        yield dataset
    inner = [dataset['dataset']] if 'dataset' in dataset else dataset.get('datasets', [])
    for part in inner:
        yield from _packing_pipelines(part, pack)
