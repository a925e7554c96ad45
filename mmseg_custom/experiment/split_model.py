"""What an experiment needs, and cannot have, where a model is split over processes."""

from mmengine.config import Config

from mmseg_custom.utils.errors import UserError

FSDP = ('TrashFSDPStrategy', 'FSDPStrategy')
# They copy, average or compile the complete model, of which each process has a part.
NEED_ALL_WEIGHTS = ('EMAHook', 'SWAHook', 'CompileBackboneHook')


def fit_split_model(cfg: Config, launcher: str, has_gpu: bool) -> None:
    """Change a split model's experiment in place so that it runs on this machine.

    FSDP also runs on CPUs, over gloo.

    Args:
        cfg: A complete experiment; one that is not split by FSDP stays as it is.
        launcher: What started the processes; ``none``: there is one.
        has_gpu: Whether there is a GPU.

    Raises:
        UserError: There is one process, or a part of the experiment needs the complete model.
    """
    if cfg.get('strategy', {}).get('type') not in FSDP:
        return
    if launcher == 'none':
        raise UserError(
            'FSDP splits the model over processes: start it with tools/dist_train.sh, or train '
            'without this option'
        )
    _require_parts_only(cfg)
    if not has_gpu:
        wrapper = cfg.strategy.setdefault('model_wrapper', {})
        wrapper.update(type='MMFullyShardedDataParallel', device_id='cpu')


def _require_parts_only(cfg: Config) -> None:
    hooks = [hook.get('type') for hook in cfg.get('custom_hooks') or ()]
    refused = [name for name in NEED_ALL_WEIGHTS if name in hooks]
    if (cfg.get('optim_wrapper') or {}).get('clip_grad'):
        refused.append('clip_grad')
    if refused:
        raise UserError(
            f'{", ".join(refused)}: needs the complete model, of which FSDP gives each process '
            'a part; train without one of the two'
        )
