"""Batches of features in place of photos."""

from typing import NamedTuple

from mmseg.models import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from .frozen_features import FrozenFeatures, stack_levels


class Prepared(NamedTuple):
    """A sample on the device.

    Attributes:
        source: What the pipeline made, on the CPU.
        sample: The same on the device, padded.
        features: Each level, ``(c, h, w)``.
    """

    source: SegDataSample
    sample: SegDataSample
    features: tuple[Tensor, ...]


@MODELS.register_module()
class FeaturePreProcessor(SegDataPreProcessor):
    """``SegDataPreProcessor`` that prepares a sample once and hands out its features.

    A sample is known again where the data set returns the same tensor (``cache_samples`` of
    :class:`TrashCocoDataset`, read without workers); others are prepared each time. Nothing is kept
    of a tensor that is gone.

    Arguments as ``SegDataPreProcessor``.
    """

    features: FrozenFeatures | None = None

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # By photo; then by what the padding depends on.
        self._prepared = WeakTensorKeyDictionary()

    def __getstate__(self) -> dict:
        """Leave out what is prepared: it belongs to tensors of this process."""
        return dict(super().__getstate__(), _prepared=None)

    def __setstate__(self, state: dict) -> None:
        """Begin with nothing prepared."""
        super().__setstate__(dict(state, _prepared=WeakTensorKeyDictionary()))

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch; while training, ``inputs`` are features.

        Args:
            data: ``inputs``, a list of ``(3, H, W)`` photos, and ``data_samples``.
            training: Whether a loss follows.
        """
        if training and self.features is not None:
            return self.with_features(data, training)
        return super().forward(data, training)

    def with_features(self, data: dict, training: bool) -> dict:
        """Return a batch whose ``inputs`` are a tuple of levels, each ``(N, c, h, w)``.

        Args:
            data: See :meth:`forward`.
            training: Whether the labels are padded, too, and a loss follows.
        """
        assert self.features is not None  # the segmentor sets them
        photos, sources = data['inputs'], data['data_samples']
        key = training, max(p.shape[-2] for p in photos), max(p.shape[-1] for p in photos)
        known = [self._prepared.get(photo, {}).get(key) for photo in photos]
        if not all(
            one and one.source is source for one, source in zip(known, sources, strict=True)
        ):
            known = self._prepare(data, training, self.features)
            for photo, one in zip(photos, known, strict=True):
                if not self.features.is_full:
                    self._prepared.setdefault(photo, {})[key] = one
        samples = [one.sample if training else _unpredicted(one.sample) for one in known]
        return dict(inputs=stack_levels([one.features for one in known]), data_samples=samples)

    def _prepare(self, data: dict, training: bool, features: FrozenFeatures) -> list[Prepared]:
        ready = super().forward(data, training)
        maps = features.of_each(ready['inputs'])
        parts = zip(data['data_samples'], ready['data_samples'], maps, strict=True)
        return [Prepared(*part) for part in parts]


def _unpredicted(sample: SegDataSample) -> SegDataSample:
    """Return a sample to which a prediction can be added."""
    return sample.new()
