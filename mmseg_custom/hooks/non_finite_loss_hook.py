"""Stopping at, or going past, a loss that is NaN or infinite."""

from pathlib import Path

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import nn

from mmseg_custom.utils import UserError, atomic_path


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Look at each loss before its gradients are made, in all processes alike.

    A loss that is NaN or infinite makes all weights non-finite in the step that follows, and
    the checkpoints after it useless. The batch is written to
    ``non_finite/iter_000012_rank_0.pth`` in the work folder (``img_paths``, ``inputs`` of
    ``(N, 3, H, W)`` or the feature maps of a frozen backbone, ``gt_sem_seg`` of ``(N, 1, H, W)``,
    ``losses``); the weights it met are those of ``--resume``, which comes to the same iteration
    with the same numbers.

    Args:
        max_skipped: How many such iterations the training goes past, without a step of the
            optimizer, before it stops.
    """

    priority = 'VERY_HIGH'
    folder = 'non_finite'

    def __init__(self, max_skipped: int = 0):
        self.max_skipped = max_skipped
        self.skipped = 0
        self._is_bad = False
        self._handles = []

    def before_train(self, runner: Runner) -> None:
        """Begin to look.

        Args:
            runner: The runner.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self._runner = runner
        self._handles = [model.register_forward_hook(self._look, with_kwargs=True)]
        if self.max_skipped:
            optimizer = runner.optim_wrapper.optimizer
            self._handles.append(optimizer.register_step_pre_hook(self._leave_out))

    def after_train(self, runner: Runner) -> None:
        """Look no more."""
        for handle in self._handles:
            handle.remove()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Drop the gradients of a batch that is left out, also those that wait for a step."""
        if self._is_bad:
            runner.optim_wrapper.zero_grad()
            self._is_bad = False

    def _look(self, model: BaseModel, args: tuple, inputs: dict, losses: dict) -> None:
        """Judge what the model's ``forward`` returns while it is trained."""
        if inputs.get('mode') != 'loss':
            return
        is_finite = torch.isfinite(model.parse_losses(losses)[0].detach())
        all_are = is_finite.int()
        all_reduce(all_are, 'min')
        if not all_are:
            other = 'the batch of another process has'
            self._answer(model, other if is_finite else self._dump(inputs, losses))

    def _answer(self, model: nn.Module, what: str) -> None:
        """Go past it or stop."""
        broken = [name for name, value in model.named_buffers() if not _is_finite(value)]
        if self.skipped >= self.max_skipped or broken:
            raise UserError(
                f'iteration {self._runner.iter + 1}: {what} a loss that is NaN or infinite'
                + (f', and so is {broken[0]} of the model' if broken else '')
                + '. Look at these photos and labels; if they are right, lower the learning rate',
                kind='non-finite-loss',
            )
        self.skipped += 1
        self._is_bad = True
        self._runner.logger.warning(
            f'iteration {self._runner.iter + 1}: {what} a loss that is NaN or infinite; left out '
            f'({self.skipped} of at most {self.max_skipped})'
        )

    def _leave_out(self, optimizer: torch.optim.Optimizer, args, kwargs) -> None:
        """Take the gradients away before the optimizer's step, which then does nothing."""
        if self._is_bad:
            optimizer.zero_grad(set_to_none=True)

    def _dump(self, inputs: dict, losses: dict) -> str:
        """Write the batch and say which photos it has."""
        runner, samples = self._runner, inputs['data_samples']
        paths = [sample.img_path for sample in samples]
        content = dict(
            iter=runner.iter + 1,
            img_paths=paths,
            inputs=_on_cpu(inputs['inputs']),
            gt_sem_seg=torch.stack([sample.gt_sem_seg.data.cpu() for sample in samples]),
            losses={name: torch.as_tensor(v).detach().cpu() for name, v in losses.items()},
        )
        name = f'iter_{runner.iter + 1:06d}_rank_{runner.rank}.pth'
        path = Path(runner.work_dir, self.folder, name)
        with atomic_path(path) as temporary:
            torch.save(content, temporary)
        return f'the batch of {", ".join(paths)} (written to {path}) has'


def _on_cpu(inputs: torch.Tensor | tuple) -> torch.Tensor | tuple:
    if isinstance(inputs, tuple):
        return tuple(one.cpu() for one in inputs)
    return inputs.cpu()


def _is_finite(value: torch.Tensor) -> bool:
    return bool(torch.isfinite(value).all())
