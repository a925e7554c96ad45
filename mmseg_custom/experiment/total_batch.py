"""Learning rate and length of a training for the photos that one optimizer step sees."""

import math
from collections.abc import Collection
from dataclasses import dataclass

from mmengine.config import Config

from .launch import is_first_process
from .merge import LENGTHS
from .schedule import schedulers_of, set_length

# Momentum methods on the plain gradient; the others divide it by an estimate of its size.
LINEAR = ('SGD', 'ASGD', 'LARS')
RATE = 'optim_wrapper.optimizer.lr'


@dataclass
class TotalBatch:
    """Fit an experiment to its total batch: photos per process, times processes, accumulated.

    A schedule says with MMEngine's ``auto_scale_lr.base_batch_size`` for how many photos per
    optimizer step its learning rate and length are meant. With another number

    - the learning rate is scaled by the ratio for SGD (Goyal et al., arXiv:1706.02677), and by
      its square root for optimizers of Adam's type (Malladi et al., NeurIPS 2022);
    - the number of iterations is divided by the ratio of photos per iteration, so that the
      training sees as many photos as before.

    A config that accumulates to reach its base accumulates as often as it takes to.

    Args:
        processes: Number of processes.
        counts: ``accumulative_counts`` of the config as shipped.
    """

    processes: int
    counts: int = 1

    def note(self, cfg: Config) -> None:
        """Keep how often the config as shipped accumulates, before options change it."""
        self.counts = _counts(cfg)

    def total(self, cfg: Config) -> int:
        """Return how many photos one step of the optimizer sees."""
        return self._per_iteration(cfg) * _counts(cfg)

    def apply(
        self, cfg: Config, wanted: bool | None, given: Collection[str] = (), epochs: bool = False
    ) -> None:
        """Scale an experiment if that is wanted, else print that its batch is another one.

        Args:
            cfg: Changed in place. MMEngine, which knows the linear rule only, scales nothing more.
            wanted: None: what the config says (``auto_scale_lr.enable``).
            given: See :meth:`scale`.
            epochs: See :meth:`scale`.
        """
        stated = cfg.get('auto_scale_lr') or {}
        base, total = base_batch(cfg), self.total(cfg)
        if stated.get('enable', False) if wanted is None else wanted:
            self.scale(cfg, given, epochs)
        elif base not in (None, total):
            _say(
                f'a step sees {total} photos; learning rate and length of the training are for '
                f'{base} (--auto-scale-lr fits both)'
            )
        if cfg.get('auto_scale_lr'):
            cfg.auto_scale_lr.enable = False

    def scale(self, cfg: Config, given: Collection[str] = (), epochs: bool = False) -> None:
        """Scale learning rate and length, and print what was done.

        Args:
            cfg: Changed in place; its base becomes the present batch, so that the experiment in
                the work folder is not scaled again.
            given: Dotted keys that the user gave, which stay as they are.
            epochs: Whether the length was given in epochs, which do not depend on the batch.
        """
        base = base_batch(cfg)
        if base is None:
            _say('the config states no auto_scale_lr.base_batch_size: nothing is scaled')
            return
        if self.counts > 1 and _counts(cfg) == self.counts:
            cfg.optim_wrapper.accumulative_counts = math.ceil(base / self._per_iteration(cfg))
        total = self.total(cfg)
        done = [self._scale_rate(cfg, total / base, given)] if total != base else []
        if not epochs:
            done += self._scale_length(cfg, base, given)
        cfg.auto_scale_lr = dict(base_batch_size=total, enable=False)
        factors = f'{cfg.train_dataloader.batch_size} photos x {self.processes} processes'
        if _counts(cfg) > 1:
            factors += f' x {_counts(cfg)} accumulated'
        if done or _counts(cfg) != self.counts:
            _say(f'total batch {total} ({factors}), schedule for {base}: {"; ".join(done)}')

    def _per_iteration(self, cfg: Config) -> int:
        return cfg.train_dataloader.batch_size * self.processes

    def _scale_rate(self, cfg: Config, ratio: float, given: Collection[str]) -> str:
        optimizer = cfg.optim_wrapper.optimizer
        if 'lr' not in optimizer:
            return 'the optimizer has no learning rate to scale'
        if RATE in given:
            return f'learning rate {optimizer.lr:g} as given'
        linear = optimizer.get('base', optimizer.type) in LINEAR
        factor = ratio if linear else math.sqrt(ratio)
        before, optimizer.lr = optimizer.lr, optimizer.lr * factor
        for scheduler in schedulers_of(cfg):
            if scheduler.get('eta_min'):
                scheduler.eta_min *= factor
        rule = 'linear' if linear else 'square root'
        return f'learning rate {before:g} -> {optimizer.lr:.4g} ({rule})'

    def _scale_length(self, cfg: Config, base: int, given: Collection[str]) -> list[str]:
        before = cfg.train_cfg.get('max_iters')
        if before is None:  # epochs see as many photos with any batch
            return []
        if not {*LENGTHS, 'max_iters'}.isdisjoint(given):
            return [f'{before} iterations as given']
        length = max(1, math.ceil(before * base / self.counts / self._per_iteration(cfg)))
        if length == before:
            return []
        set_length(cfg, 'max_iters', length, given)
        return [f'{before} -> {length} iterations']


def base_batch(cfg: Config) -> int | None:
    """Return for how many photos per optimizer step a schedule is meant, None if unstated."""
    return (cfg.get('auto_scale_lr') or {}).get('base_batch_size')


def _counts(cfg: Config) -> int:
    return (cfg.get('optim_wrapper') or {}).get('accumulative_counts', 1)


def _say(text: str) -> None:
    if is_first_process():
        print(text, flush=True)
