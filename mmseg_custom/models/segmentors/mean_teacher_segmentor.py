"""Learning from photos without labels while training."""

import torch
from mmengine.model import MomentumAnnealingEMA
from mmengine.structures import PixelData
from mmseg.models import BaseSegmentor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor

from mmseg_custom.coco import IGNORE_INDEX
from mmseg_custom.models.probabilities import class_probabilities
from mmseg_custom.utils import UserError

from .strong_view import change_colors, draw_class_masks, paste


@MODELS.register_module()
class MeanTeacherSegmentor(BaseSegmentor):
    """A student that learns labeled photos, and what its teacher is sure of in unlabeled ones.

    The teacher (Mean Teacher; Tarvainen & Valpola, NeurIPS 2017) is the moving average of the
    student's weights and BatchNorm statistics. It labels the weakly changed photos that the
    pipeline makes; where it is sure, these labels teach the student on strongly changed ones
    (FixMatch; Sohn et al., NeurIPS 2020): other colors as in UniMatch (Yang et al., CVPR 2023),
    and half of the classes of a photo pasted over another unlabeled one (ClassMix; Olsson et al.,
    WACV 2021).

    The gate is FixMatch's and UniMatch's, pixel by pixel: an unsure pixel is ignored, and the sum
    over the sure ones is divided by all pixels of the photos. The losses of the heads are means
    over pixels that are not ignored (``avg_non_ignore=True``), hence they are multiplied by the
    share of sure pixels.

    The teacher follows at the beginning of each iteration, with all that it has in the
    ``state_dict``, and is what predicts. :class:`ExportTeacherHook` writes its weights for the
    plain config of the student.

    Args:
        segmentor: Config of the student, any segmentor whose ``loss`` skips pixels of label 255,
            also where a photo has no others (all losses of this package; MMSegmentation's
            ``LovaszLoss`` fails there).
        threshold: The teacher's probability from which on a pixel is sure, in 0..1; above 1
            nothing is.
        unlabelled_weight: Weight of the loss on unlabeled photos.
        momentum: How far the teacher moves to the student in an iteration; in iteration ``k`` at
            least ``1 / k``, so that it forgets the first ones.

    Raises:
        UserError: ``momentum`` is not between 0 and 1.
    """

    def __init__(
        self,
        segmentor: dict,
        threshold: float = 0.95,
        unlabelled_weight: float = 1.0,
        momentum: float = 0.001,
        pretrained: None = None,
        train_cfg: None = None,
    ):
        if not 0 < momentum < 1:
            raise UserError(f'MeanTeacherSegmentor: momentum {momentum} is not between 0 and 1')
        student = MODELS.build(segmentor)
        super().__init__(data_preprocessor=student.data_preprocessor)
        self.student = student
        self.teacher = MomentumAnnealingEMA(student, momentum, gamma=1, update_buffers=True)
        self.threshold = threshold
        self.unlabelled_weight = unlabelled_weight

    def train(self, mode: bool = True) -> 'MeanTeacherSegmentor':
        """Set the student's mode; the teacher never drops out anything."""
        super().train(mode)
        self.teacher.eval()
        return self

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Let the teacher follow, then compute the losses of both kinds of photos.

        Args:
            inputs: ``(N, 3, H, W)``, normalized.
            data_samples: Unlabeled ones have ``labelled=False`` in their metainfo.

        Returns:
            dict[str, Tensor]: The student's on labeled photos; with the prefix ``unlabelled``,
            those on unlabeled photos and ``sure_share``, the share of sure pixels in 0..1.

        Raises:
            UserError: One kind of photos is not in the batch.
        """
        self._follow()
        kinds = {True: [], False: []}
        for place, sample in enumerate(data_samples):
            kinds[sample.metainfo.get('labelled', True)].append(place)
        if not all(kinds.values()):
            raise UserError(
                'MeanTeacherSegmentor: a batch needs labeled and unlabeled photos: mix them with '
                'MultiSourceSampler and UnlabelledPhotos, and a batch size that holds both'
            )
        labelled, unlabelled = kinds[True], kinds[False]
        losses = self.student.loss(inputs[labelled], [data_samples[i] for i in labelled])
        learnt = self._unlabelled_loss(inputs[unlabelled], [data_samples[i] for i in unlabelled])
        return losses | add_prefix(learnt, 'unlabelled')

    def _follow(self) -> None:
        # The tensors that it listed when it was made are not its own any more once the model has
        # moved to a GPU.
        self.teacher.avg_parameters = self.teacher.module.state_dict()
        self.teacher.update_parameters(self.student)

    def _unlabelled_loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        photo = _photo_pixels(inputs, data_samples)
        confidence, classes = self._teach(inputs)
        classes = torch.where(photo, classes, IGNORE_INDEX)
        masks = draw_class_masks(classes)
        labels = paste(masks, torch.where(confidence >= self.threshold, classes, IGNORE_INDEX))
        strong = paste(masks, change_colors(inputs, self.data_preprocessor))
        samples = [
            SegDataSample(metainfo=sample.metainfo, gt_sem_seg=PixelData(data=label[None]))
            for sample, label in zip(data_samples, labels, strict=True)
        ]
        share = (labels != IGNORE_INDEX).sum() / paste(masks, photo).sum()
        losses = self.student.loss(strong, samples)
        weight = self.unlabelled_weight * share
        # Accuracies are among them, too.
        weighted = {name: v * weight if 'loss' in name else v for name, v in losses.items()}
        return weighted | dict(sure_share=share)

    @torch.no_grad()
    def _teach(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the teacher's highest probability and its class, ``(N, H, W)`` each."""
        size = inputs.shape[2:]
        meta = dict(ori_shape=size, img_shape=size, pad_shape=size, padding_size=[0] * 4)
        logits = self.teacher.module.encode_decode(inputs, [meta] * len(inputs))
        return class_probabilities(logits.float(), 1).max(dim=1)

    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Predict as the teacher does (see ``mmseg.models.EncoderDecoder``)."""
        return self.teacher.module.predict(inputs, data_samples)

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None):
        return self.teacher.module._forward(inputs, data_samples)

    def extract_feat(self, inputs: Tensor):
        """Return the teacher's features."""
        return self.teacher.module.extract_feat(inputs)

    def encode_decode(self, inputs: Tensor, batch_data_samples: list[dict]) -> Tensor:
        """Return the teacher's logits, ``(N, C, H, W)``."""
        return self.teacher.module.encode_decode(inputs, batch_data_samples)


def _photo_pixels(inputs: Tensor, data_samples: list[SegDataSample]) -> Tensor:
    """Return ``(N, H, W)`` bool: True on the photos, False on what pads them to one size."""
    pixels = torch.zeros_like(inputs[:, 0], dtype=torch.bool)
    for mask, sample in zip(pixels, data_samples, strict=True):
        height, width = sample.metainfo['img_shape']
        mask[:height, :width] = True
    return pixels
