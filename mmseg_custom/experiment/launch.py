"""Fitting a config to the machine it runs on: the one place that knows GPU from CPU."""

import datetime
import os

import torch
import torch.distributed as torch_dist
from mmengine.config import Config
from mmengine.device import is_cuda_available

from mmseg_custom.utils.errors import UserError

from .config import set_amp

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')
NEED_GPUS = ('FSDPStrategy', 'DeepSpeedStrategy')


def fit_to_machine(cfg: Config, launcher: str = 'none') -> None:
    """Change ``cfg`` in place so that it runs on this machine with this launcher.

    With CUDA nothing changes: MMEngine starts NCCL, BatchNorm becomes SyncBN between several
    processes (``sync_bn``), and AMP is on where the config asks for it. Without CUDA:

    - several processes communicate over gloo, started here, since MMEngine's launcher calls
      ``torch.cuda.set_device``;
    - DDP gets no ``device_ids``, and BatchNorm stays BatchNorm (SyncBN is CUDA only);
    - AMP is off (MMEngine's ``AmpOptimWrapper`` refuses a CPU).

    Loaders that read in the main process (``num_workers=0``) keep no workers between epochs.

    Args:
        cfg: A complete experiment.
        launcher: One of :data:`LAUNCHERS`.

    Raises:
        UserError: The config splits the model over GPUs, and there are none, or no launcher; or
            there are more processes than GPUs.
    """
    cfg.launcher = launcher
    _keep_no_absent_workers(cfg)
    strategy = cfg.get('strategy', {}).get('type')
    if strategy in NEED_GPUS and (launcher == 'none' or not is_cuda_available()):
        raise UserError(
            f'{strategy} splits the model over GPUs: start it with tools/dist_train.sh on a '
            'machine that has some, or train without this option'
        )
    if is_cuda_available():
        require_own_gpu(launcher)
        return
    if cfg.get('optim_wrapper', {}).get('type') == 'AmpOptimWrapper':
        set_amp(cfg.optim_wrapper, False)
    cfg.pop('sync_bn', None)
    if launcher != 'none':
        start_gloo(launcher, cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout'))
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


def start_gloo(launcher: str, timeout: float | None = None) -> None:
    """Initialize the gloo process group of a CPU-only launch, once.

    Args:
        launcher: ``pytorch`` (torchrun has set the environment), ``slurm`` or ``mpi`` (it is
            derived from what these set; ``MASTER_ADDR`` must be there).
        timeout: Seconds that a process waits for the others before it gives up; None: PyTorch's
            half an hour.
    """
    if torch_dist.is_initialized():
        return
    names = {
        'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
        'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
    }.get(launcher)
    if names:
        for name, source in zip(('RANK', 'WORLD_SIZE', 'LOCAL_RANK'), names, strict=True):
            os.environ[name] = os.environ[source]
        os.environ.setdefault('MASTER_PORT', '29500')
    patience = datetime.timedelta(seconds=timeout) if timeout else None
    torch_dist.init_process_group('gloo', timeout=patience)


def join_processes(launcher: str) -> None:
    """Let processes that share out photos find each other; they only exchange lists, over gloo.

    Args:
        launcher: One of :data:`LAUNCHERS`. Each process gets a GPU of its own where there are some.
    """
    if launcher == 'none':
        return
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
