"""torch.compile where it works."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS


@HOOKS.register_module()
class CompileBackboneHook(Hook):
    """Compile the backbone before the training.

    MMEngine's ``compile=True`` compiles the full training step with the optimizer in it, which
    PyTorch 2.14 refuses as soon as ``paramwise_cfg`` is used: the parameter groups are MMEngine's
    own kind of dict. The backbone is one graph without data samples. It is compiled in place, so
    that the names in checkpoints stay as they are.

    Args:
        **options: Options of :func:`torch.compile`, such as ``mode`` or ``dynamic``.
    """

    def __init__(self, **options):
        self.options = options

    def before_train(self, runner: Runner) -> None:
        """Compile; the work itself is done in the first iteration."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.backbone.compile(**self.options)
        runner.logger.info('the backbone is compiled: the first iterations take minutes')
