"""Lookahead around any other optimizer."""

from collections.abc import Callable, Iterable

import torch
from mmseg.registry import OPTIMIZERS
from torch.optim import Optimizer

from mmseg_custom.utils import UserError

from .unhooked import unhooked


@OPTIMIZERS.register_module()
class Lookahead(Optimizer):
    """Lookahead (Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", 2019).

    Every ``k`` steps of the base optimizer the slow weights move by ``alpha`` of the way to the
    weights that these steps led to, and the next ``k`` steps begin there. The base optimizer keeps
    its moments.

    The base is given by its name, and its options beside Lookahead's own, so that MMEngine finds
    ``lr`` and ``weight_decay`` where its ``paramwise_cfg`` looks for them, and a config changes
    nothing else: ``optimizer=dict(type='Lookahead', base='AdamW')``.

    Parameter groups have ``lookahead_alpha``, ``lookahead_k`` and ``lookahead_steps``, the number
    of steps so far: some base optimizers have an ``alpha`` themselves.

    timm's class is not used: its slow weights begin at the k-th step instead of at the first, so
    that the first synchronization does nothing.

    Args:
        params: Parameters or parameter groups.
        base: Registered name of the base optimizer.
        alpha: How far the slow weights move, in (0, 1]; 1 is the base optimizer alone.
        k: Steps between two moves, at least 1.
        **kwargs: Options of the base optimizer.

    Raises:
        UserError: ``alpha`` or ``k`` outside their range.
    """

    def __init__(self, params: Iterable, base: str, alpha: float = 0.5, k: int = 5, **kwargs):
        if not 0 < alpha <= 1:
            raise UserError(f'Lookahead: alpha {alpha} is not in (0, 1]')
        if k < 1:
            raise UserError(f'Lookahead: k {k} is not at least 1')
        self.base: Optimizer = OPTIMIZERS.build(dict(type=base, params=params, **kwargs))
        own = dict(lookahead_alpha=alpha, lookahead_k=k, lookahead_steps=0)
        super().__init__(self.base.param_groups, self.base.defaults | own)
        self._share_groups()

    def __getstate__(self) -> dict:
        """Return what a copy or a pickle needs: PyTorch's, and the base optimizer."""
        return super().__getstate__() | dict(base=self.base)

    def __setstate__(self, state: dict) -> None:
        """Take over a state; one that was saved by an earlier version lacks our options."""
        super().__setstate__(state)
        for group in self.param_groups:
            for key, value in self.defaults.items():
                group.setdefault(key, value)
        self._share_groups()

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Make one step of the base optimizer; at every k-th one move the slow weights.

        Args:
            closure: Computes the loss and the gradients again.

        Returns:
            float: What ``closure`` returned; None without one.
        """
        for group in self.param_groups:
            # Not when it is built: the weights may be loaded after that.
            if not group['lookahead_steps']:
                for param in group['params']:
                    self.state[param]['slow'] = param.clone()
        loss = unhooked(type(self.base).step)(self.base, closure)
        for group in self.param_groups:
            group['lookahead_steps'] += 1
            if group['lookahead_steps'] % group['lookahead_k'] == 0:
                for param in group['params']:
                    slow = self.state[param]['slow']
                    param.copy_(slow.lerp_(param, group['lookahead_alpha']))
        return loss

    def state_dict(self) -> dict:
        """Return the slow weights and, as ``base``, the state of the base optimizer."""
        return super().state_dict() | dict(base=self.base.state_dict())

    def load_state_dict(self, state_dict: dict) -> None:
        """Continue from what :meth:`state_dict` returned.

        Raises:
            UserError: The state is another optimizer's.
        """
        if 'base' not in state_dict:
            raise UserError(
                'the checkpoint was trained without Lookahead: resume with the optimizer it was '
                'trained with, or start from its weights with load_from'
            )
        super().load_state_dict(state_dict)
        self.base.load_state_dict(state_dict['base'])
        self._share_groups()

    def _share_groups(self) -> None:
        """Let schedules, which change our groups, change those of the base optimizer."""
        self.base.param_groups = self.param_groups
