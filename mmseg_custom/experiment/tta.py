"""How an experiment sees a photo when it is tested: its pipeline, views of the photo, and a CRF."""

from collections.abc import Mapping

from mmengine.config import Config, ConfigDict

from mmseg_custom.classes import class_list
from mmseg_custom.utils.errors import UserError

from .datasets import leaf_datasets
from .named_parts import read_file, read_part

LOADING_LABELS = ('LoadTrashAnnotations', 'LoadAnnotations')


def set_tta(cfg: Config, name: str, crf: dict | None = None) -> None:
    """Test with the views of ``configs/_base_/tta/NAME.py``.

    They are made of what the experiment's own test pipeline makes of a photo; the labels stay as
    they are in the file.

    Args:
        cfg: Changed in place: its test pipeline and its model.
        name: See :func:`mmseg_custom.utils.shared.part_names`.
        crf: Arguments of :class:`~mmseg_custom.postprocess.DenseCrf`, or None.

    Raises:
        UserError: No such views.
    """
    tta = read_file('tta', name)
    for dataset in leaf_datasets(cfg.test_dataloader.dataset):
        photo, rest = _split(cfg, dataset.pipeline)
        views = [*tta.views, *([step] for step in rest)]
        dataset.pipeline = [*photo, dict(type='TestTimeAug', transforms=views)]
    if 'test_cfg' in tta:
        cfg.model.test_cfg = tta.test_cfg
    background = class_list(cfg.classes).background if cfg.get('classes') else None
    cfg.model = dict(type='TrashTTAModel', module=cfg.model, crf=crf, background=background)


def read_crf(name: str) -> dict:
    """Return the arguments of :class:`~mmseg_custom.postprocess.DenseCrf` that a config names.

    Args:
        name: A file ``configs/_base_/crf/NAME.py``, or the path of another config with ``crf``.

    Raises:
        UserError: There is no such file, or it says no ``crf``.
    """
    return read_part('crf', name, 'crf')


def photo_pipeline(cfg: Config) -> list[ConfigDict]:
    """Return what the test pipeline does with a photo that is loaded already, without labels."""
    pipeline = next(leaf_datasets(cfg.test_dataloader.dataset)).pipeline
    steps = [_without_labels(step) for step in pipeline[1:] if step.type not in LOADING_LABELS]
    return [ConfigDict(type='LoadImageFromNDArray'), *steps]


def is_packing(step: Mapping) -> bool:
    """Return whether a transform turns a sample into what a model takes, such as PackSegInputs."""
    return str(step.get('type')).startswith('Pack')


def _split(cfg: Config, pipeline: list[ConfigDict]) -> tuple[list[ConfigDict], list[ConfigDict]]:
    """Return the part of a pipeline that is about the photo, and loading labels and packing."""
    rest = [step for step in pipeline if step.type in LOADING_LABELS or is_packing(step)]
    if not rest:
        raise UserError(
            f'{cfg.filename}: its test pipeline has no transform that packs (PackSegInputs), so '
            'that there is no place for test-time augmentations'
        )
    return [step for step in pipeline if step not in rest], rest


def _without_labels(step: ConfigDict) -> ConfigDict:
    if step.type != 'TestTimeAug':
        return step
    kept = [views for views in step.transforms if views[0]['type'] not in LOADING_LABELS]
    return ConfigDict(step, transforms=kept)
