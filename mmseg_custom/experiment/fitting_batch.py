"""Find how many photos of a training fit into the memory of a GPU at once."""

import copy
import gc
import math
from collections.abc import Callable

import torch
from mmengine.config import Config
from mmengine.device import get_device, is_cuda_available
from mmengine.dist import all_reduce, init_dist
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from mmseg.registry import DATASETS, MODELS

from mmseg_custom.models.batch_statistics import keep_statistics
from mmseg_custom.utils.errors import UserError

from .config import drop_pretrained
from .launch import fit_to_machine
from .process_group import prepare_launch, start_gloo

OUT_OF_MEMORY = ('out of memory', "can't allocate memory", 'ALLOC_FAILED')
# DDP's buckets, other crops and fragments need some too.
USABLE = 0.9
# The optimizer's state exists from the second step on.
STEPS = 2


def set_fitting_batch(cfg: Config, base: int | None, processes: int, launcher: str) -> None:
    """Set the largest batch that fits, and accumulate it to the base batch.

    Args:
        cfg: Changed in place.
        base: Photos per optimizer step that the schedule is meant for; None: the batch size of the
            config, times the processes.
        processes: Between which a step's photos are divided.
        launcher: What started them.

    Raises:
        UserError: Not one photo fits, or the model is split over GPUs.
    """
    if cfg.get('strategy'):
        raise UserError(
            f'{cfg.strategy.type}: what fits is measured with the complete model on one GPU, and '
            'this training splits it: give a number',
            kind='no-fitting-batch',
        )
    wanted = math.ceil((base or cfg.train_dataloader.batch_size * processes) / processes)
    join(cfg, launcher)
    size = largest_that_fits(wanted, _prober(cfg))
    # Each process has a GPU of its own: the smallest decides.
    found = torch.tensor(size)
    all_reduce(found, 'min')
    size = int(found)
    if size == 0:
        raise UserError('not even one photo fits into the memory', kind='no-fitting-batch')
    cfg.train_dataloader.batch_size = size
    cfg.optim_wrapper.accumulative_counts = math.ceil(wanted / size)


def largest_that_fits(wanted: int, fits: Callable[[int], bool]) -> int:
    """Return the largest divisor of ``wanted`` that fits, 0 if none does.

    Args:
        wanted: Photos per step and process, at least 1.
        fits: Returns whether so many photos at once fit; called from the largest down.
    """
    divisors = [size for size in range(wanted, 0, -1) if wanted % size == 0]
    return next((size for size in divisors if fits(size)), 0)


def join(cfg: Config, launcher: str) -> None:
    """Start the process group that the training will use."""
    if launcher == 'none' or torch.distributed.is_initialized():
        return
    prepare_launch(launcher)
    options = (cfg.get('env_cfg') or {}).get('dist_cfg') or {}
    if is_cuda_available():
        init_dist(launcher, **options)
    else:
        start_gloo(launcher, options.get('timeout'))


def _prober(cfg: Config) -> Callable[[int], bool]:
    """Return a function that trains a throw-away model on batches of a size."""
    cfg = copy.deepcopy(cfg)
    drop_pretrained(cfg.model)
    fit_to_machine(cfg)
    cfg.optim_wrapper.pop('accumulative_counts', None)
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.pop('prefetch_factor', None)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)

    def fits(size: int) -> bool:
        loader = dict(cfg.train_dataloader, dataset=dataset, batch_size=size)
        try:
            _train(cfg, next(iter(Runner.build_dataloader(loader, seed=0))))
        except RuntimeError as error:
            if not any(text in str(error) for text in OUT_OF_MEMORY):
                raise
            return False
        finally:
            gc.collect()
        if not is_cuda_available():
            return True
        used = torch.cuda.max_memory_reserved()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        return used <= USABLE * torch.cuda.mem_get_info()[1]

    return fits


def _train(cfg: Config, batch: dict) -> None:
    model = MODELS.build(cfg.model).to(get_device()).train()
    if len(batch['inputs']) == 1:
        # The training itself reports that BatchNorm needs two; SyncBN does not.
        keep_statistics(model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    for _ in range(STEPS):
        model.train_step(copy.deepcopy(batch), wrapper)
