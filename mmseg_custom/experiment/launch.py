"""Fitting a config to the machine it runs on: the one place that knows GPU from CPU."""

import os
import warnings
from collections.abc import Iterable

import torch
import torch.distributed as torch_dist
from mmengine.config import Config
from mmengine.device import is_cuda_available

from mmseg_custom.utils.errors import UserError

from . import cpu
from .process_group import prepare_launch, start_gloo
from .split_model import fit_split_model

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


def fit_to_machine(
    cfg: Config, launcher: str = 'none', amp: bool | None = None, given: Iterable[str] = ()
) -> list[str]:
    """Change ``cfg`` in place so that it runs on this machine with this launcher.

    With CUDA nothing changes: MMEngine starts NCCL, BatchNorm becomes SyncBN between several
    processes (``sync_bn``), and AMP is on where the config asks for it. Without CUDA:

    - several processes communicate over gloo, started here, since MMEngine's launcher calls
      ``torch.cuda.set_device``;
    - DDP gets no ``device_ids``, and BatchNorm stays BatchNorm (SyncBN is CUDA only);
    - AMP is off, unless it is asked for and the chip has bfloat16
      (:func:`~mmseg_custom.experiment.cpu.set_precision`).

    Data loading and threads take no more than the cores that there are. Loaders that read in the
    main process (``num_workers=0``) keep no workers between epochs.

    Args:
        cfg: A complete experiment.
        launcher: One of :data:`LAUNCHERS`.
        amp: Whether half precision is asked for; None: as the experiment says.
        given: Dotted keys that the user has set, which stay.

    Returns:
        list[str]: What was asked for and is not done, or was changed: a line each.

    Raises:
        UserError: The config splits the model over processes, and there is one, or something in it
            needs the complete model; or there are more processes than GPUs.
    """
    cfg.launcher = launcher
    fit_split_model(cfg, launcher, is_cuda_available())
    if launcher != 'none':
        prepare_launch(launcher)
        cpu.limit_threads()
    said = [cpu.limit_workers(cfg, given)]
    _keep_no_absent_workers(cfg)
    if is_cuda_available():
        require_own_gpu(launcher)
    else:
        said.append(cpu.set_precision(cfg, amp))
        cfg.pop('sync_bn', None)
        if launcher != 'none':
            start_gloo(launcher, cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout'))
            _use_ddp_without_devices(cfg)
    return [line for line in said if line]


def _use_ddp_without_devices(cfg: Config) -> None:
    if cfg.get('strategy'):  # it wraps the model itself
        return
    # PyTorch 2.14 deprecates the argument; MMEngine's wrapper has no other.
    warnings.filterwarnings('ignore', message='.*broadcast_buffers', category=FutureWarning)
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )


def _keep_no_absent_workers(cfg: Config) -> None:
    """Let ``num_workers=0`` be all that a debugger needs: PyTorch refuses it as it stands."""
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(name) or {}
        if loader.get('num_workers') == 0:
            loader['persistent_workers'] = False


def require_own_gpu(launcher: str) -> None:
    """Raise when torchrun started more processes on this machine than it has GPUs.

    Slurm and MPI can show each process a GPU of its own, so that their numbers say nothing.

    Args:
        launcher: One of :data:`LAUNCHERS`.

    Raises:
        UserError: This process has no GPU of its own.
    """
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', 1)) if launcher == 'pytorch' else 1
    gpus = torch.cuda.device_count()
    if 0 < gpus < processes:
        raise UserError(
            f'{processes} processes on a machine with {gpus} GPU{"s" if gpus > 1 else ""}: start '
            'one process per GPU'
        )


def join_processes(launcher: str) -> None:
    """Let processes that share out photos find each other; they only exchange lists, over gloo.

    Args:
        launcher: One of :data:`LAUNCHERS`. Each process gets a GPU of its own where there are some.
    """
    if launcher == 'none':
        return
    prepare_launch(launcher)
    cpu.limit_threads()
    if is_cuda_available():
        require_own_gpu(launcher)
    start_gloo(launcher)
    if is_cuda_available():
        torch.cuda.set_device(int(os.environ['LOCAL_RANK']) % torch.cuda.device_count())


def world_size() -> int:
    """Return the number of processes that the launcher started, also before they are joined."""
    names = ('WORLD_SIZE', 'SLURM_NTASKS', 'OMPI_COMM_WORLD_SIZE')
    if torch_dist.is_initialized():
        return torch_dist.get_world_size()
    return next((int(os.environ[name]) for name in names if name in os.environ), 1)


def is_first_process() -> bool:
    """Return whether this process speaks for all, also before they are joined."""
    names = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')
    if torch_dist.is_initialized():
        return torch_dist.get_rank() == 0
    return next((os.environ[name] for name in names if name in os.environ), '0') == '0'


def was_restarted() -> bool:
    """Return whether torchrun (``--max-restarts``) or Slurm (requeue) restarted this process."""
    names = ('TORCHELASTIC_RESTART_COUNT', 'SLURM_RESTART_COUNT')
    return any(int(os.environ.get(name) or 0) for name in names)
