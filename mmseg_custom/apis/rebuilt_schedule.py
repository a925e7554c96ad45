"""The learning rates of a resumed training whose schedule or optimizer has changed."""

import warnings
from collections.abc import Sequence
from copy import deepcopy

from mmengine.optim import OptimWrapper, _ParamScheduler
from mmengine.runner import Runner

from mmseg_custom.utils import UserError

INITIAL = 'initial_'


def group_options(optim_wrapper: OptimWrapper) -> list[dict]:
    """Return the options of each parameter group as the config gives them.

    Raises:
        UserError: The model has several optimizers.
    """
    if not isinstance(optim_wrapper, OptimWrapper):
        raise UserError('the schedule of several optimizers cannot be changed while resuming')
    groups = optim_wrapper.param_groups
    return [{key: value for key, value in group.items() if key != 'params'} for group in groups]


def rebuild_schedule(runner: Runner, options: Sequence[dict]) -> None:
    """Let the optimizer continue as if its training had had the present schedule all along.

    MMEngine restores the optimizer's options and the schedulers' state from the checkpoint, so
    that a schedule of another length ends where the old one did.

    Args:
        runner: It has loaded the checkpoint, including the optimizer's state.
        options: See :func:`group_options`, from before the checkpoint was loaded.
    """
    groups = runner.optim_wrapper.param_groups
    before = groups[0]['lr']
    for group, fresh in zip(groups, options, strict=True):
        for key in [key for key in group if key.startswith(INITIAL)]:
            del group[key]
        group.update({k: v for k, v in fresh.items() if not k.startswith(INITIAL)})
        group.update({k.removeprefix(INITIAL): fresh[k] for k in fresh if k.startswith(INITIAL)})
    schedulers = runner.build_param_scheduler(deepcopy(runner.cfg.param_scheduler or []))
    runner.param_schedulers = schedulers
    with warnings.catch_warnings():
        # It warns of a schedule that is ahead of its optimizer, which is what is wanted here.
        warnings.simplefilter('ignore')
        _advance(schedulers, by_epoch=False, steps=runner.iter)
        _advance(schedulers, by_epoch=True, steps=runner.epoch)
    runner.logger.info(
        f'the schedule is rebuilt for {runner.max_iters} iterations: the learning rate after '
        f'iteration {runner.iter} is {groups[0]["lr"]:.3g} (it was {before:.3g})'
    )


def _advance(schedulers: Sequence[_ParamScheduler], by_epoch: bool, steps: int) -> None:
    for _ in range(steps):
        for scheduler in schedulers:
            if scheduler.by_epoch == by_epoch:
                scheduler.step()
