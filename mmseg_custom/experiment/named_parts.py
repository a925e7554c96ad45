"""Parts of an experiment that have a name: the files of a folder in ``configs/_base_``."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.shared import part_names, shared_folder
from mmseg_custom.utils.spelling import did_you_mean

BASES = shared_folder() / 'configs' / '_base_'
# What stays in front of the augmentations when others are chosen, beside loading.
BEFORE_AUGMENTATIONS = ('CopyPaste', 'Resize')


def read_part(folder: str, name: str, variable: str) -> Any:
    """Return one variable of ``configs/_base_/FOLDER/NAME.py``.

    Args:
        folder: Such as ``augmentations``.
        name: The file's name without suffix.
        variable: What to return of it.

    Raises:
        UserError: There is no such file.
    """
    content = read_file(folder, name)
    if variable not in content:
        raise UserError(f'{name}: does not say `{variable} = …`; take one of {folder} as a pattern')
    return content[variable]


def read_file(folder: str, name: str) -> Config:
    """Return the config ``configs/_base_/FOLDER/NAME.py``.

    Args:
        folder: Such as ``tta``.
        name: The file's name without suffix, or the path of a file that is elsewhere.

    Raises:
        UserError: There is no such file.
    """
    path = Path(name) if name.endswith('.py') else BASES / folder / f'{name}.py'
    if not path.is_file():
        names = part_names(folder)
        raise UserError(
            f'{name!r} is none of the {folder}: {", ".join(names)}{did_you_mean(name, names)}'
        )
    return Config.fromfile(str(path))


def add_options(cfg: Config, names: Iterable[str]) -> None:
    """Train with what the files ``configs/_base_/options/NAME.py`` say, one after the other.

    An option changes keys that a schedule or the runtime has set, which MMEngine does not allow
    among the bases of a config. Its keys are merged as those of an experiment are into its bases;
    only its ``custom_hooks`` and ``vis_backends`` come behind those that are there.

    Args:
        cfg: Changed in place.
        names: See :func:`mmseg_custom.utils.shared.part_names`.

    Raises:
        UserError: No such option.
    """
    for name in names:
        option = read_file('options', name).to_dict()
        hooks, backends = option.pop('custom_hooks', []), option.pop('vis_backends', [])
        cfg.merge_from_dict(option)
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), *hooks]
        if backends:
            there = (cfg.get('visualizer') or {}).get('vis_backends') or []
            cfg.merge_from_dict({'visualizer.vis_backends': [*there, *backends]})


def set_loss(cfg: Config, name: str) -> None:
    """Train every head with the loss of ``configs/_base_/losses/NAME.py``.

    A head keeps its own weight, by which an auxiliary head counts less.

    Args:
        cfg: Changed in place.
        name: See :func:`mmseg_custom.utils.shared.part_names`.

    Raises:
        UserError: No such loss, or a model whose heads have none to replace.
    """
    loss = read_part('losses', name, 'loss_decode')
    # MeanTeacherSegmentor has the model to train inside.
    model = cfg.model.get('segmentor', cfg.model)
    heads = [model.get(key) for key in ('decode_head', 'auxiliary_head')]
    heads = [head for part in heads for head in (part if isinstance(part, list) else [part])]
    heads = [head for head in heads if head and 'loss_decode' in head]
    if not heads:
        raise UserError(
            f'{cfg.filename}: its model has a loss of its own', kind='model-has-own-loss'
        )
    for head in heads:
        old = head.loss_decode[0] if isinstance(head.loss_decode, list) else head.loss_decode
        head.loss_decode = dict(loss, loss_weight=old.get('loss_weight', 1.0))


def set_augmentation(cfg: Config, name: str) -> None:
    """Train with the augmentations of ``configs/_base_/augmentations/NAME.py``.

    They take the place of what stands between loading (copy-paste, shrinking) and packing.

    Args:
        cfg: Changed in place.
        name: See :func:`mmseg_custom.utils.shared.part_names`.

    Raises:
        UserError: No such augmentations, or no training pipeline that ends with packing.
    """
    augmentation = read_part('augmentations', name, f'{name}_augmentation')
    pipelines = list(_packing_pipelines(cfg.train_dataloader.dataset, cfg.get('pack')))
    if not pipelines:
        raise UserError(
            f'{cfg.filename}: no training pipeline ends with packing (PackSegInputs), so that '
            'there is no place for augmentations'
        )
    for dataset, pack in pipelines:
        kept = [step for step in dataset.pipeline if _stays(step)]
        dataset.pipeline = [*kept, *augmentation, *pack]


def _stays(step: ConfigDict) -> bool:
    return step.type.startswith('Load') or step.type in BEFORE_AUGMENTATIONS


def _packing_pipelines(
    dataset: ConfigDict, pack: list[dict] | None
) -> Iterator[tuple[ConfigDict, list[dict]]]:
    """Yield the datasets and wrappers whose pipelines end with packing, and the steps that do it.

    Args:
        dataset: The training dataset.
        pack: What a config with several kinds of samples packs labeled ones with; None: any
            transform that packs.
    """
    pipeline = dataset.get('pipeline') or []
    if pack is None and pipeline and pipeline[-1].type.startswith('Pack'):
        yield dataset, pipeline[-1:]
    elif pack and pipeline[-len(pack) :] == pack:
        yield dataset, pack
    inner = [dataset['dataset']] if 'dataset' in dataset else dataset.get('datasets', [])
    for part in inner:
        yield from _packing_pipelines(part, pack)
