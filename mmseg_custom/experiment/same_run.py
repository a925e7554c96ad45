"""Check that all processes of a launch train the same thing."""

from collections.abc import Mapping

from mmengine.config import Config
from mmengine.dist import all_gather_object

from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.plain_data import without_configs

from .changes import annotation_changes, training_changes


def require_same_run(cfg: Config, annotations: Mapping) -> None:
    """Raise, in every process, unless all were started with the same experiment and data.

    The gradients of different trainings would be averaged without a complaint. Where the data lies
    may differ from node to node.

    Args:
        cfg: The experiment of this process.
        annotations: What :func:`~mmseg_custom.experiment.changes.annotation_digests` returns in
            this process.

    Raises:
        UserError: Names the first process that differs from process 0, and in what.
    """
    everyone = all_gather_object((without_configs(cfg.to_dict()), dict(annotations)))
    experiment, digests = everyone[0]
    for rank, (other, other_digests) in enumerate(everyone[1:], start=1):
        changes = training_changes(experiment, other)
        changes += annotation_changes(digests, other_digests)
        if changes:
            keys = [change.key for change in changes]
            raise UserError(
                f'processes 0 and {rank} were not started with the same training: they differ in '
                f'{", ".join(keys[:3])}{", …" if len(keys) > 3 else ""}'
            )
