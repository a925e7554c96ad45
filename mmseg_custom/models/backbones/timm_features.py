"""The features of any timm model, trained or frozen."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from mmseg_custom.checkpoints.loading_report import fetch_twice, report_loading
from mmseg_custom.checkpoints.pretrained import fetching
from mmseg_custom.utils.extras import needing


@MODELS.register_module()
class TimmFeatures(BaseModule):
    """``timm.create_model(…, features_only=True)`` whose weights are fetched when training begins.

    mmseg's ``TIMMBackbone`` fetches them whenever it is built, also to load a checkpoint into it.

    Input: ``(N, 3, H, W)``. Output: one feature map ``(N, C, h, w)`` for each of ``out_indices``.

    Args:
        model_name: Name in timm.
        pretrained: Begin with timm's weights.
        out_indices: Which features.
        out_norm: Normalize each feature map over its channels (LayerNorm), as MMSegmentation's
            ConvNeXt does before a decoder.
        final_norm: Apply the last LayerNorm of a ViT to each feature map, as DINOv2 does before a
            decoder (``use_backbone_norm``).
        frozen: Keep the weights and the statistics as they are; only the head is trained.
        init_cfg: As ``mmengine.model.BaseModule``.
        **kwargs: Of ``timm.create_model``.

    Raises:
        UserError: timm is missing, or its weights cannot be fetched or lack layers of the model.
    """

    def __init__(
        self,
        model_name: str,
        pretrained: bool | None = True,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        out_norm: bool = False,
        final_norm: bool = False,
        frozen: bool = False,
        init_cfg: dict | None = None,
        **kwargs,
    ):
        super().__init__(init_cfg)
        with needing('timm', 'zoo'):
            import timm
        self._options, self._out_indices = kwargs, tuple(out_indices)
        self.model_name = model_name
        self.pretrained = pretrained
        self.final_norm = final_norm
        self.frozen = frozen
        self.features = self._create(pretrained=False)
        norms = []
        if out_norm:
            info: Any = self.features.feature_info
            norms = [timm.layers.LayerNorm2d(channels) for channels in info.channels()]
        self.norms = nn.ModuleList(norms)
        if frozen:
            self.features.requires_grad_(False).eval()

    def init_weights(self) -> None:
        """Fetch the pretrained weights, if asked for."""
        if not self.pretrained:
            super().init_weights()
            return
        with fetching(f'of timm, {self.model_name},'):
            fetched, new = fetch_twice(lambda: self._create(pretrained=True))
        report_loading(f'of timm, {self.model_name},', fetched, new)
        self.features.load_state_dict(fetched.state_dict())

    def _create(self, pretrained: bool) -> Any:
        import timm

        options: dict[str, Any] = dict(pretrained=pretrained, **self._options)
        if not self.final_norm:
            options |= dict(features_only=True, out_indices=self._out_indices)
            return timm.create_model(self.model_name, **options)
        from timm.models._features import FeatureGetterNet

        # `features_only` takes the last norm off, and has no option to keep it.
        model = timm.create_model(self.model_name, num_classes=0, **options)
        return FeatureGetterNet(model, out_indices=self._out_indices, norm=True)

    def train(self, mode: bool = True) -> 'TimmFeatures':
        """Change to training, except for frozen features."""
        super().train(mode)
        if self.frozen:
            self.features.eval()
        return self

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features."""
        found = self.features(x)
        if not self.norms:
            return found
        return [norm(features) for norm, features in zip(self.norms, found, strict=True)]
