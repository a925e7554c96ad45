"""Fitting an experiment to the CPU of this machine: precision, loading workers, threads."""

import os
from collections.abc import Iterable
from pathlib import Path

import torch
from mmengine.config import Config

from mmseg_custom.utils.node import processes_of_node

from .config import set_amp
from .datasets import LOADERS

BF16 = 'avx512_bf16'


def set_precision(cfg: Config, amp: bool | None) -> str:
    """Choose float32 or bfloat16 for a training on the CPU, in place.

    Experiments have AMP on for a GPU; a CPU trains in bfloat16 only if that is asked for, by
    ``amp`` or by a ``dtype`` in the experiment, and the chip computes with it.

    Args:
        cfg: A complete experiment.
        amp: Whether half precision is asked for; None: by the experiment.

    Returns:
        str: What is not, or not exactly, what was asked for, as a line; else empty.
    """
    wrapper = cfg.get('optim_wrapper') or {}
    if wrapper.get('type') != 'AmpOptimWrapper':
        return ''
    dtype = str(wrapper.get('dtype'))
    set_amp(wrapper, False)
    if not amp and dtype not in ('float16', 'bfloat16'):
        return ''
    if not computes_bf16():
        return f'there is no GPU, and this CPU has no {BF16}, so training is in float32'
    wrapper['type'] = 'CpuAmpOptimWrapper'
    return 'there is no GPU, so training is in bfloat16 on the CPU'


def computes_bf16() -> bool:
    """Return whether this CPU has instructions for bfloat16."""
    try:
        return BF16 in Path('/proc/cpuinfo').read_text()
    except OSError:
        return False


def limit_workers(cfg: Config, given: Iterable[str] = ()) -> str:
    """Let data loading have as many workers as a process has cores, in place.

    Args:
        cfg: A complete experiment.
        given: Dotted keys that the user has set; they stay.

    Returns:
        str: What was changed, as a line; else empty.
    """
    cores, most = cores_of_process(), 0
    for name in LOADERS:
        loader = cfg.get(name) or {}
        wanted = loader.get('num_workers', 0)
        if wanted > cores and f'{name}.num_workers' not in given:
            loader['num_workers'] = cores
            most = max(most, wanted)
    return f'data loading: {cores} workers, one per core, in place of {most}' if most else ''


def limit_threads() -> None:
    """Give each of several processes on this machine its part of the cores.

    ``OMP_NUM_THREADS`` overrides it.
    """
    if 'OMP_NUM_THREADS' not in os.environ:
        os.environ['OMP_NUM_THREADS'] = str(cores_of_process())
        torch.set_num_threads(cores_of_process())
    os.environ.setdefault('MKL_NUM_THREADS', os.environ['OMP_NUM_THREADS'])


def cores_of_process() -> int:
    """Return how many cores this process may use if its neighbors use as many, at least 1."""
    if 'SLURM_CPUS_PER_TASK' in os.environ and 'SLURM_PROCID' in os.environ:
        granted = int(os.environ['SLURM_CPUS_PER_TASK'])
        return max(1, min(granted, _usable_cores()))
    return max(1, _usable_cores() // processes_of_node())


def _usable_cores() -> int:
    if hasattr(os, 'sched_getaffinity'):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
