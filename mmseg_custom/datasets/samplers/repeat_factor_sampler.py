"""An endless sampler that shows images of rare classes more often."""

from collections.abc import Iterator, Sequence

import torch
from mmseg.registry import DATA_SAMPLERS

from mmseg_custom.coco import labels_of_names, listed_factors, threshold_factors
from mmseg_custom.datasets.class_lists import class_lists, dataset_classes
from mmseg_custom.utils import UserError

from .seeded_infinite_sampler import SeededInfiniteSampler


@DATA_SAMPLERS.register_module()
class RepeatFactorSampler(SeededInfiniteSampler):
    """``SeededInfiniteSampler`` in whose epochs an image occurs as often as its classes are rare.

    Either with repeat factors after LVIS (``threshold``), or the images of some classes so many
    times (``classes`` and ``times``). In each epoch the fractional part of a factor is the
    probability of one more repeat, so that an image with 1.5 occurs once or twice. All processes
    draw the same stream from the seed and take turns in it.

    Args:
        dataset: Has ``get_cat_ids(idx) -> list[int]``, as :class:`TrashCocoDataset`, or wraps such
            datasets; for ``classes`` also ``metainfo['classes']``.
        threshold: Fraction of images, in (0, 1], below which a class is repeated.
        classes: Names of classes whose images are repeated.
        times: How often they occur in an epoch, at least 1.
        **kwargs: ``shuffle`` and ``seed`` of ``mmengine.dataset.InfiniteSampler``.

    Raises:
        UserError: Wrong or conflicting options, or a dataset that does not know its classes.
    """

    def __init__(
        self,
        dataset,
        threshold: float | None = None,
        classes: Sequence[str] | None = None,
        times: float | None = None,
        **kwargs,
    ):
        super().__init__(dataset, **kwargs)
        classes_of = class_lists(dataset)
        if threshold is not None and classes is None and times is None:
            factors = threshold_factors(classes_of, threshold)
        elif threshold is not None or classes is None or times is None:
            raise UserError('RepeatFactorSampler: give either threshold, or classes and times')
        else:
            names = [classes] if isinstance(classes, str) else classes
            repeated = labels_of_names(names, dataset_classes(dataset))
            factors = listed_factors(classes_of, repeated, times)
        self.factors = torch.from_numpy(factors)

    def _infinite_indices(self) -> Iterator[int]:
        """Yield epoch after epoch; the inherited methods slice it by rank and skip in it."""
        generator = torch.Generator()
        generator.manual_seed(self.seed)
        whole = self.factors.floor()
        while True:
            draws = torch.rand(self.size, generator=generator, dtype=torch.float64)
            repeats = (whole + (draws < self.factors - whole)).long()
            indices = torch.repeat_interleave(torch.arange(self.size), repeats)
            if self.shuffle:
                indices = indices[torch.randperm(len(indices), generator=generator)]
            yield from indices.tolist()
