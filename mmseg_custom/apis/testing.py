"""Testing a checkpoint."""

from pathlib import Path

from mmengine.config import Config

from mmseg_custom import plugins  # noqa: F401  (registers what configs name)
from mmseg_custom.apis.complaints import naming_the_key
from mmseg_custom.apis.runner import TrashRunner
from mmseg_custom.checkpoints import safe_mmengine_files
from mmseg_custom.checkpoints.checkpoint import require_readable
from mmseg_custom.checkpoints.safe_load import no_code
from mmseg_custom.experiment.broken_photos import skip_broken, skipped_photos
from mmseg_custom.utils import write_json
from mmseg_custom.utils.provenance import FILE, OtherProvenance, read_provenance

from .failed_start import removing_failed_start
from .training_faults import known_faults_as_messages

# MMEngine wants all of these or none.
TRAINING = ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler')


def test(
    cfg: Config, checkpoint: str, masks: Path | None = None, overlays: Path | None = None
) -> dict[str, float]:
    """Measure a checkpoint on the test set of ``cfg`` and write what it predicts.

    ``metrics.json`` in ``cfg.work_dir`` gets the results, the per-class values, the confusion
    matrix, the number of ``photos``, and why some could not be read (``skipped``).

    Args:
        cfg: A complete experiment, fitted to the machine.
        checkpoint: The ``.pth`` or ``.safetensors`` file.
        masks: Folder of the predicted masks (palette PNG), or None.
        overlays: Folder of pictures of photo, truth and prediction side by side, or None.

    Returns:
        dict[str, float]: The results in percent; empty when the set has no annotations.

    Raises:
        UserError: Wrong data, masks of another command in the folder, or a checkpoint that is
            damaged, not trusted, of another model, or whose outputs are not finite.
    """
    require_readable(checkpoint)
    if masks:
        _require_own(masks.parent)
    cfg.load_from, cfg.resume = checkpoint, False
    for key in TRAINING:
        cfg.pop(key, None)
    guard = dict(type='NonFiniteOutputHook', model=str(checkpoint))
    cfg.custom_hooks = [*cfg.get('custom_hooks', []), guard]
    if masks or overlays:
        hook = dict(type='SavePredictionsHook', masks=_text(masks), overlays=_text(overlays))
        cfg.custom_hooks = [*cfg.custom_hooks, hook]
    if cfg.get('test_dataloader'):
        skip_broken(cfg.test_dataloader.dataset)
    with (
        removing_failed_start(cfg.work_dir),
        safe_mmengine_files(),
        no_code(),
        naming_the_key(cfg),
        known_faults_as_messages(),
    ):
        runner = TrashRunner.from_cfg(cfg)
        metrics = runner.test()
    report = getattr(runner.test_evaluator.metrics[0], 'report', None)
    if runner.rank == 0:
        dataset = runner.test_dataloader.dataset
        skipped = skipped_photos(dataset)
        content = dict(
            checkpoint=str(checkpoint),
            metrics=metrics,
            photos=len(dataset) + len(skipped),
            skipped=skipped,
            **(report or {}),
        )
        write_json(Path(cfg.work_dir, 'metrics.json'), content)
    return metrics


def _require_own(folder: Path) -> None:
    """Raise where another command's masks are, which would take those of the test for its own."""
    there = read_provenance(folder / FILE)
    if there and there['command'] != 'train':
        raise OtherProvenance(f'{folder}: holds results of {there["command"]}')


def _text(path: Path | None) -> str | None:
    # A config holds plain data, and no paths.
    return None if path is None else str(path)
