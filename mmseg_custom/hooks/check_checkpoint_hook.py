"""Refusing a checkpoint that belongs to another model."""

from mmengine.hooks import EMAHook, Hook
from mmengine.runner import BaseLoop
from mmseg.registry import HOOKS

from mmseg_custom.checkpoints.checkpoint import (
    classes_of,
    require_same_classes,
    require_same_weights,
    state_of,
)
from mmseg_custom.classes import ClassList, class_list
from mmseg_custom.models.class_rows import class_axes, match_rows, same_class
from mmseg_custom.models.complete_weights import complete_weights
from mmseg_custom.utils import UserError
from mmseg_custom.utils.listing import listing

PREFIX = 'module.'
SHOWN = 3


@HOOKS.register_module()
class CheckCheckpointHook(Hook):
    """Stop when a checkpoint has other weights or other classes than the model.

    MMEngine loads what fits and only warns about the rest, so that a wrong checkpoint shows as a
    bad score. Training that starts from foreign weights (``load_from`` without resuming) takes what
    fits: one line says what that is. The rows of a classifier follow the names of the classes
    (:mod:`~mmseg_custom.models.class_rows`), so that those of other classes, or of the same in
    another order, are not mistaken for these.
    """

    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Compare the checkpoint with ``runner.model``.

        Raises:
            UserError: Names the checkpoint, the first difference and the fix.
        """
        is_training = isinstance(runner._train_loop, BaseLoop)
        if is_training:
            _take_raw_weights(runner, checkpoint)
        path = runner._load_from or runner.work_dir
        loop = 'train_loop' if is_training else 'test_loop'
        metainfo = getattr(getattr(runner, loop).dataloader.dataset, 'metainfo', {})
        if is_training and not runner._resume:
            _take_what_fits(runner, path, checkpoint, metainfo)
            return
        require_same_classes(path, checkpoint, metainfo)
        with complete_weights(runner.model) as model:
            require_same_weights(path, checkpoint, model)
        if is_training:
            done, total = checkpoint['meta']['iter'], runner.max_iters
            runner.logger.info(f'resuming {path}: iteration {done} of {total}')


def _take_what_fits(runner, path: str, checkpoint: dict, metainfo: dict) -> None:
    """Prepare weights that a training starts from, and log what is taken over.

    Raises:
        UserError: Nothing fits.
    """
    with complete_weights(runner.model) as model:
        own, state = model.state_dict(), state_of(checkpoint)
    theirs = classes_of(checkpoint, path)
    ours = class_list(metainfo) if metainfo.get('classes') else None
    if theirs and ours and not theirs.is_same_as(ours):
        axes = class_axes(runner.cfg.model, len(ours))
        match_rows(state, own, axes, theirs, ours)
        _report_classes(runner, path, theirs, ours)
    elif ours and not theirs:
        said = 'does not say its classes; its classifier is taken over if it fits'
        runner.logger.warning(f'{path}: {said}')
    fits = [name for name in own if name in state and state[name].shape == own[name].shape]
    if not fits:
        raise UserError(f'{path}: has none of the {len(own)} weights of this model')
    new = [name for name in own if name not in set(fits)]
    rest = f'; new are {listing(new, SHOWN)}' if new else ''
    runner.logger.info(f'{path}: starting from {len(fits)} of {len(own)} weights{rest}')
    checkpoint['state_dict'] = state


def _report_classes(runner, path: str, theirs: ClassList, ours: ClassList) -> None:
    labels = range(len(ours))
    known = [ours.names[n] for n in labels if same_class(theirs, ours, n) is not None]
    new = [name for name in ours.names if name not in known]
    runner.logger.warning(
        f'{path}: knows {theirs}; its classifier is taken over for '
        f'{", ".join(known) or "none of them"}; new are {", ".join(new) or "none"}'
    )


def _take_raw_weights(runner, checkpoint: dict) -> None:
    """Resume from the trained weights where the checkpoint's are an average that is given up.

    ``EMAHook`` saves the average as ``state_dict``, and what it is an average of as
    ``ema_state_dict``.
    """
    averaged = checkpoint.get('ema_state_dict')
    if averaged is None or any(isinstance(hook, EMAHook) for hook in runner.hooks):
        return
    checkpoint['state_dict'] = {
        name.removeprefix(PREFIX): value
        for name, value in averaged.items()
        if name.startswith(PREFIX)
    }
    runner.logger.info('no averaging of weights any more: resuming from the trained weights')
