"""Test-time augmentation, and the dense CRF as the last step of a test."""

import torch
from mmengine.model import BaseTTAModel
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.utils import SampleList

from mmseg_custom.coco.photos import read_photo, swap_channels
from mmseg_custom.models.probabilities import sample_probabilities
from mmseg_custom.postprocess import DenseCrf

from .fast_argmax import likeliest_classes

SMALLEST = 1e-12


@MODELS.register_module()
class TrashTTAModel(BaseTTAModel):
    """Averages what a model says about several views of one photo.

    As mmseg's ``SegTTAModel``, but the averaged result is kept too: ``seg_logits`` are the
    logarithms of the mean probabilities, so that their softmax is these.

    Args:
        module: The model, or its config.
        crf: Arguments of :class:`~mmseg_custom.postprocess.DenseCrf`, which refines the mean
            probabilities; None: no CRF.
        background: Label of the background, for the CRF; None: no class is it.
    """

    def __init__(self, module, crf: dict | None = None, background: int | None = None, **kwargs):
        super().__init__(module, **kwargs)
        self.background = background
        self.crf = DenseCrf(**crf) if crf is not None else None

    def merge_preds(self, data_samples_list: list[SampleList]) -> SampleList:
        """Return one sample a photo.

        Args:
            data_samples_list: For each photo its views, with ``seg_logits`` of ``(C, H, W)`` that
                are turned back to how the photo is.
        """
        return [self._merge(views) for views in data_samples_list]

    def _merge(self, views: SampleList):
        mean = torch.stack([sample_probabilities(v.seg_logits.data) for v in views]).mean(dim=0)
        is_binary = len(views[0].seg_logits.data) == 1
        merged = views[0]
        if self.crf is not None:
            mean = self._refined(mean, merged.img_path, self.crf)
        merged.seg_logits = PixelData(data=mean.clamp_min(SMALLEST).log())
        found = likeliest_classes(mean)
        if is_binary:
            found = (mean[1:] > self.module.decode_head.threshold).to(found)
        merged.pred_sem_seg = PixelData(data=found)
        return merged

    def _refined(self, probabilities: torch.Tensor, img_path: str, crf: DenseCrf) -> torch.Tensor:
        photo = swap_channels(read_photo(img_path))
        refined = crf(photo, probabilities.cpu().numpy(), self.background)
        return torch.from_numpy(refined).to(probabilities.device)
