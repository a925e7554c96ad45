"""MMSegmentation's segmentors whose parts need not say a number of classes."""

from typing import Any

from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from torch import Tensor

from mmseg_custom.checkpoints.loading_report import report_backbone
from mmseg_custom.classes import built_in
from mmseg_custom.models.num_classes import with_num_classes

from .fast_argmax import FastArgmax
from .feature_pre_processor import FeaturePreProcessor
from .frozen_features import FrozenFeatures


class SharedNumClasses:
    """Gives the parts of an ``EncoderDecoder`` one number of classes.

    A part that says a number of its own keeps it. Weights have the names of the base class's.

    Args:
        backbone: Config of the backbone, which may be a complete model.
        decode_head: Config of the head, or a list of configs.
        auxiliary_head: The same, or None.
        num_classes: Number of classes; None: that of the default class list.
        frozen_features: Leave the backbone as it is, and compute the features of each photo once
            (:class:`~mmseg_custom.models.segmentors.frozen_features.FrozenFeatures`).
        **kwargs: As the base class.
    """

    def __init__(
        self,
        backbone: dict,
        decode_head: Any,
        auxiliary_head: Any = None,
        num_classes: int | None = None,
        frozen_features: bool = False,
        **kwargs,
    ):
        number = num_classes or len(built_in())
        if frozen_features:
            kwargs['data_preprocessor'] = _handing_out_features(kwargs.get('data_preprocessor'))
        super().__init__(  # type: ignore[call-arg]  # the segmentor's
            backbone=with_num_classes(backbone, number),
            decode_head=with_num_classes(decode_head, number),
            auxiliary_head=with_num_classes(auxiliary_head, number),
            **kwargs,
        )
        # The base class has made modules of the configs.
        self.features = FrozenFeatures(self.backbone) if frozen_features else None  # type: ignore
        preprocessor = self.data_preprocessor  # type: ignore[attr-defined]
        if isinstance(preprocessor, FeaturePreProcessor):
            preprocessor.features = self.features

    def val_step(self, data: Any) -> list:
        """Predict photos whose features are known, if the complete photo is one piece."""
        preprocessor = self.data_preprocessor  # type: ignore[attr-defined]
        whole = self.test_cfg.get('mode') == 'whole'  # type: ignore[attr-defined]
        if not whole or not isinstance(preprocessor, FeaturePreProcessor):
            return super().val_step(data)  # type: ignore[misc]  # the segmentor's
        batch = preprocessor.with_features(data, training=False)
        return self._run_forward(batch, mode='predict')  # type: ignore[attr-defined]

    def extract_feat(self, inputs: Tensor | tuple[Tensor, ...]) -> Any:
        """Return the feature maps of ``(N, 3, H, W)`` float photos; of feature maps, the same."""
        if self.features is None:
            return super().extract_feat(inputs)  # type: ignore[misc]  # the segmentor's
        maps = inputs if isinstance(inputs, tuple) else self.features(inputs)
        return self.neck(maps) if self.with_neck else maps  # type: ignore[attr-defined]

    def postprocess_result(self, *args: Any, **kwargs: Any) -> Any:
        """Return the base class's samples, whose labels are found faster."""
        with FastArgmax():
            return super().postprocess_result(*args, **kwargs)  # type: ignore[misc]

    def init_weights(self) -> None:
        """Initialize the weights, and report what the backbone's pretrained ones filled.

        Raises:
            UserError: The weights lack layers of the backbone, or do not fit them.
        """
        super().init_weights()  # type: ignore[misc]  # the segmentor's
        report_backbone(self.backbone)  # type: ignore[attr-defined]


def _handing_out_features(preprocessor: Any) -> Any:
    """Return the config of a preprocessor of features, if there is one of this kind."""
    if not isinstance(preprocessor, dict) or preprocessor.get('type') != 'SegDataPreProcessor':
        return preprocessor
    return dict(preprocessor, type=FeaturePreProcessor.__name__)


@MODELS.register_module()
class TrashEncoderDecoder(SharedNumClasses, EncoderDecoder):
    """``EncoderDecoder`` with one number of classes, see :class:`SharedNumClasses`."""
