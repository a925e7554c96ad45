"""Any model of segmentation_models_pytorch."""

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from mmseg_custom.checkpoints.loading_report import fetch_twice, report_loading
from mmseg_custom.checkpoints.pretrained import fetching
from mmseg_custom.utils import UserError
from mmseg_custom.utils.extras import needing


@MODELS.register_module()
class SMPModel(BaseModule):
    """A complete model of segmentation_models_pytorch, to be followed by a :class:`LogitsHead`.

    The contest team's ``UPlusPlus_Efficient_b5`` is ``arch='unetplusplus',
    encoder='efficientnet-b5'``.

    Input: ``(N, 3, H, W)`` with sides that the encoder's stride (mostly 32) divides. Output: a list
    of the logits, ``(N, num_classes, H, W)``.

    Args:
        arch: ``unet``, ``unetplusplus``, ``deeplabv3plus``, ``fpn``, ``upernet``, …
        encoder: Name of the encoder; ``tu-…`` are timm's.
        num_classes: Number of classes.
        pretrained: Name of the encoder's weights, such as ``imagenet``; None: random.
        init_cfg: As ``mmengine.model.BaseModule``.
        **kwargs: Of ``segmentation_models_pytorch.create_model``.

    Raises:
        UserError: The package, the architecture, the encoder or its weights cannot be had, or the
            weights lack layers of the encoder.
    """

    def __init__(
        self,
        arch: str,
        encoder: str,
        num_classes: int,
        pretrained: str | None = 'imagenet',
        init_cfg: dict | None = None,
        **kwargs,
    ):
        super().__init__(init_cfg)
        with needing('segmentation_models_pytorch', 'zoo'):
            import segmentation_models_pytorch as smp
        self.encoder, self.pretrained = encoder, pretrained
        self._depth = kwargs.get('encoder_depth', 5)
        try:
            self.model = smp.create_model(
                arch, encoder, encoder_weights=None, classes=num_classes, **kwargs
            )
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(f'SMPModel: {arch} with {encoder}: {error}') from None

    def init_weights(self) -> None:
        """Fetch the encoder's weights, if asked for; the package has set the others."""
        if not self.pretrained:
            return
        from segmentation_models_pytorch.encoders import get_encoder

        with fetching(f'{self.pretrained} of {self.encoder}'):
            fetched, new = fetch_twice(
                lambda: get_encoder(self.encoder, depth=self._depth, weights=self.pretrained)
            )
        report_loading(f'{self.pretrained} of {self.encoder}', fetched, new)
        self.model.encoder.load_state_dict(fetched.state_dict())

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the logits."""
        return [self.model(x)]
