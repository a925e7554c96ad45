"""Pipelines that make the same of a photo each time."""

from collections.abc import Sequence

from mmseg_custom.utils import UserError

REPEATABLE = ('LoadTrashImage', 'LoadTrashAnnotations', 'Resize', 'PackSegInputs')


def require_repeatable(transforms: Sequence) -> None:
    """Raise when a transform may be random: its first result would be all that is ever seen.

    Args:
        transforms: The built transforms of a pipeline.

    Raises:
        UserError: Names the transform.
    """
    for transform in transforms:
        name = type(transform).__name__
        if name not in REPEATABLE:
            raise UserError(
                f'cache_samples=True keeps one result for each photo, but {name} in the pipeline '
                'may make another one each time',
                kind='random-cache',
            )
