"""A segmentor that trusts pseudo labels less than real ones."""

import torch
from mmseg.registry import MODELS
from mmseg.utils import SampleList, add_prefix

from .trash_encoder_decoder import TrashEncoderDecoder

REAL, PSEUDO = '', 'pseudo'


@MODELS.register_module()
class PseudoEncoderDecoder(TrashEncoderDecoder):
    """A ``TrashEncoderDecoder`` in which photos with ``pseudo=True`` have a loss of their own.

    Each kind's loss is the mean over its photos, however many of each are in a batch. The weights
    have the names of the ``EncoderDecoder``'s, so that a checkpoint goes with the plain config.

    Args:
        pseudo_weight: What the loss of the pseudo labels is multiplied by, 0 or more.
        **kwargs: As :class:`TrashEncoderDecoder`.
    """

    def __init__(self, pseudo_weight: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.pseudo_weight = pseudo_weight

    def loss(self, inputs: torch.Tensor, data_samples: SampleList) -> dict[str, torch.Tensor]:
        """Compute the losses of a batch.

        Args:
            inputs: ``(N, 3, H, W)`` normalized photos.
            data_samples: With ``gt_sem_seg`` and, of pseudo-labeled photos, ``pseudo=True``.

        Returns:
            dict: mmseg's losses, and those of the pseudo labels under ``pseudo.``.
        """
        features = self.extract_feat(inputs)
        losses = {}
        for kind, weight in ((REAL, 1.0), (PSEUDO, self.pseudo_weight)):
            rows = [
                row
                for row, sample in enumerate(data_samples)
                if bool(sample.metainfo.get('pseudo')) == (kind == PSEUDO)
            ]
            if rows:
                samples = [data_samples[row] for row in rows]
                found = self._losses_of([f[rows] for f in features], samples)
                weighted = {k: v * weight if 'loss' in k else v for k, v in found.items()}
                losses.update(add_prefix(weighted, kind) if kind else weighted)
        return losses

    def _losses_of(self, features: list[torch.Tensor], samples: SampleList) -> dict:
        losses = self._decode_head_forward_train(features, samples)
        if self.with_auxiliary_head:
            losses.update(self._auxiliary_head_forward_train(features, samples))
        return losses
