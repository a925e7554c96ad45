"""RAdam with the behavior of its authors' implementation."""

from collections.abc import Callable, Iterable

import torch
from mmseg.registry import OPTIMIZERS

from mmseg_custom.utils import UserError

from .unhooked import unhooked


@OPTIMIZERS.register_module()
class RectifiedAdam(torch.optim.RAdam):
    """RAdam (Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020).

    In the first steps (five with beta2 = 0.999) too few gradients were seen to trust their
    variance. ``torch.optim.RAdam`` (registered as ``RAdam``) steps by the plain momentum there,
    which hardly matters at the learning rates of Adam and does harm at larger ones. The authors'
    code does nothing by default, neither step nor weight decay, and only collects the moments.
    Otherwise this is PyTorch's with decoupled weight decay.

    Args:
        params: Parameters or parameter groups; a group may have its own value of each option.
        lr: Learning rate.
        betas: Decay of the running means of the gradient and of its square, in [0, 1).
        eps: Added to the root of the mean square.
        weight_decay: Fraction of a weight that a step subtracts, times ``lr`` (as in AdamW).
        degenerated_to_sgd: Step by the momentum where the variance is not trusted, as PyTorch does.
        foreach: One kernel for many parameters; by default where it is faster.

    Raises:
        UserError: With this beta2 and without ``degenerated_to_sgd`` no step would ever be made.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        degenerated_to_sgd: bool = False,
        foreach: bool | None = None,
    ):
        super().__init__(
            params,
            lr,
            (betas[0], betas[1]),
            eps,
            weight_decay,
            decoupled_weight_decay=True,
            foreach=foreach,
        )
        self.defaults['degenerated_to_sgd'] = degenerated_to_sgd
        for group in self.param_groups:
            group.setdefault('degenerated_to_sgd', degenerated_to_sgd)
            _require_steps(group)

    def __setstate__(self, state: dict) -> None:
        """Take over a state; one that was saved by an earlier version lacks our option."""
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault('degenerated_to_sgd', self.defaults.get('degenerated_to_sgd', False))

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Make one step.

        Args:
            closure: Computes the loss and the gradients again.

        Returns:
            float: What ``closure`` returned; None without one.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        held = [(param, param.clone()) for param in self._not_yet_trusted()]
        unhooked(torch.optim.RAdam.step)(self)
        for param, before in held:
            param.copy_(before)
        return loss

    def _not_yet_trusted(self) -> list[torch.nn.Parameter]:
        """Return the parameters that the coming step must leave as they are."""
        return [
            param
            for group in self.param_groups
            if not group['degenerated_to_sgd']
            for param in group['params']
            if param.grad is not None
            and _averaged(int(self.state[param].get('step', 0)) + 1, group['betas'][1]) <= 5
        ]


def _require_steps(group: dict) -> None:
    beta2 = group['betas'][1]
    if not group['degenerated_to_sgd'] and _most_averaged(beta2) <= 5:
        raise UserError(
            f'RectifiedAdam: with beta2 = {beta2} the variance is never trusted, and the '
            'weights would stay as they are: take a beta2 above 2/3, or degenerated_to_sgd=True'
        )


def _most_averaged(beta2: float) -> float:
    """Return the limit of the length of the equivalent simple average (rho_inf)."""
    return 2 / (1 - beta2) - 1


def _averaged(step: int, beta2: float) -> float:
    """Return the length of the equivalent simple average at a step (rho_t)."""
    power = beta2**step
    return _most_averaged(beta2) - 2 * step * power / (1 - power)
