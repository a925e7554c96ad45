"""Let the processes of one launch, and no others, find each other."""

import datetime
import os
import socket
import subprocess

import torch.distributed as torch_dist

from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.parent_death import outlive_parent_shortly

NAMES = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
}
# What a launch is called; empty where a launcher has no such name.
RUN_NAMES = {
    'pytorch': ('TORCHELASTIC_RUN_ID', 'TORCHELASTIC_RESTART_COUNT'),
    'slurm': ('SLURM_JOB_ID', 'SLURM_STEP_ID', 'SLURM_RESTART_COUNT'),
    'mpi': ('PMIX_NAMESPACE',),
}
# Below the ports that Linux gives to outgoing connections, which begin at 32768.
FIRST_PORT, PORTS = 15000, 16384


def prepare_launch(launcher: str) -> None:
    """Set the environment that PyTorch needs, and end this process with its launcher.

    Args:
        launcher: ``pytorch`` (torchrun has set the environment), ``slurm`` or ``mpi`` (it is
            derived from what these set; for ``mpi`` ``MASTER_ADDR`` must be there).

    Raises:
        UserError: The launcher did not start this process.
    """
    outlive_parent_shortly()
    for name, source in zip(NAMES['pytorch'], NAMES[launcher], strict=True):
        if source not in os.environ:
            raise UserError(f'this process was not started by {launcher}: {source} is not set')
        os.environ[name] = os.environ[source]
    if launcher == 'slurm':
        os.environ.setdefault('MASTER_PORT', str(port_of_step()))
        if 'MASTER_ADDR' not in os.environ:
            os.environ['MASTER_ADDR'] = address_of_first_node()
    elif launcher == 'mpi':
        os.environ.setdefault('MASTER_PORT', '29500')


def port_of_step() -> int:
    """Return a port for this Slurm step, so that two jobs on one node do not share theirs."""
    job, step = (int(os.environ.get(f'SLURM_{name}_ID') or 0) for name in ('JOB', 'STEP'))
    return FIRST_PORT + (31 * job + step) % PORTS


def address_of_first_node() -> str:
    """Return the host name of this Slurm step's first node, or its address if no one knows it."""
    nodes = os.environ.get('SLURM_STEP_NODELIST') or os.environ['SLURM_NODELIST']
    name = _scontrol('hostnames', nodes).split()[0]
    try:
        socket.gethostbyname(name)
    except OSError:
        words = _scontrol('node', name, '--oneliner').split()
        found = [word.removeprefix('NodeAddr=') for word in words if word.startswith('NodeAddr=')]
        return found[0] if found else name
    return name


def _scontrol(*arguments: str) -> str:
    return subprocess.run(
        ['scontrol', 'show', *arguments], capture_output=True, text=True, check=True
    ).stdout


def start_gloo(launcher: str, timeout: float | None = None) -> None:
    """Initialize the gloo process group of a launch, once.

    Processes of another launch that come to the same port are not let in.

    Args:
        launcher: As for :func:`prepare_launch`, which has been called.
        timeout: Seconds that a process waits for the others before it gives up; None: PyTorch's
            half an hour.

    Raises:
        UserError: The port is taken, or the other processes did not come.
    """
    if torch_dist.is_initialized():
        return
    patience = datetime.timedelta(seconds=timeout) if timeout else torch_dist.default_pg_timeout
    place = f'{os.environ.get("MASTER_ADDR")}:{os.environ.get("MASTER_PORT")}'
    try:
        store, rank, size = next(torch_dist.rendezvous('env://', timeout=patience))
        store = torch_dist.PrefixStore(run_name(launcher), store)
        torch_dist.init_process_group(
            'gloo', store=store, rank=rank, world_size=size, timeout=patience
        )
    except torch_dist.DistNetworkError as error:
        if 'EADDRINUSE' in str(error):
            raise UserError(
                f'{place}: another program has this port, over which the processes find each other',
                kind='taken-master-port',
            ) from error
        raise UserError(f'{place}: cannot be reached: {_first_line(error)}') from error
    except torch_dist.DistStoreError as error:
        raise UserError(
            f'{place}: not all {size} processes of this launch came: {_first_line(error)}'
        ) from error


def run_name(launcher: str) -> str:
    """Return what the processes of one launch, and no others, have in common."""
    return '-'.join(os.environ.get(name, '') for name in RUN_NAMES.get(launcher, ()))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
