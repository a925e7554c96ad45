"""Call the step of an optimizer as a part of another optimizer's step."""

from collections.abc import Callable


def unhooked(step: Callable) -> Callable:
    """Return an optimizer's ``step`` function without PyTorch's step hooks.

    PyTorch wraps ``step`` of every class that was instantiated, so that hooks are called before and
    after it. A step inside another optimizer's step would call the hooks for all optimizers
    (``torch.optim.optimizer.register_optimizer_step_pre_hook``) and, when the two steps are of one
    object, its own hooks a second time.

    Args:
        step: The function as the class has it, ``type(optimizer).step``.
    """
    return step.__wrapped__ if getattr(step, 'hooked', False) else step  # type: ignore[attr-defined]
