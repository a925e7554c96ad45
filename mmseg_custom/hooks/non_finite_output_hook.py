"""Stop a test whose model returns no numbers."""

from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from mmseg_custom.models.probabilities import are_finite
from mmseg_custom.utils.non_finite import NonFiniteOutput


@HOOKS.register_module()
class NonFiniteOutputHook(Hook):
    """Raise when a model under test returns NaN or infinity: every label would be a guess.

    Args:
        model: The file of the model, named in the message.
    """

    # Before masks of such outputs are written.
    priority = 'VERY_HIGH'

    def __init__(self, model: str):
        self.model = model

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence | None = None,
    ) -> None:
        """Look at one batch.

        Raises:
            NonFiniteOutput: Names the model and the photo.
        """
        for sample in outputs or ():
            if not are_finite(sample.seg_logits.data):
                raise NonFiniteOutput.of(self.model, sample.img_path)
