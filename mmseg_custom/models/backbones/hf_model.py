"""Any Hugging Face model for segmentation."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from mmseg_custom.checkpoints.loading_report import report_loading
from mmseg_custom.checkpoints.pretrained import fetching
from mmseg_custom.models.class_rows import growing_axes
from mmseg_custom.utils import UserError
from mmseg_custom.utils.extras import needing

SUFFIXES = ('ForSemanticSegmentation', 'ForUniversalSegmentation', 'ForInstanceSegmentation')


@MODELS.register_module()
class HFModel(BaseModule):
    """A ``…ForSemanticSegmentation`` of transformers, to be followed by a :class:`LogitsHead`.

    Also models that classify masks (Mask2Former, EoMT, MaskFormer: ``…ForUniversalSegmentation``
    and the like), which :class:`HFQuerySegmentor` trains by their own loss. Their logits here are
    the logarithm of the sum over the queries of class probability times mask probability, as in
    Cheng et al., "Per-Pixel Classification is Not All You Need" (NeurIPS 2021).

    Input: ``(N, 3, H, W)``. Output: a list of the logits, ``(N, num_classes, h, w)``, a part of the
    input's size as the model gives them.

    Args:
        architecture: Class in transformers, such as ``SegformerForSemanticSegmentation``.
        num_classes: Number of classes.
        config: Options of the architecture's config class.
        pretrained: Name on the hub of weights to begin with, such as ``nvidia/mit-b0``. The layers
            whose shape follows from the number of classes begin at random, and all others must be
            in the weights.
        new: Parts of the model that the weights lack and that begin at random, such as
            ``('decode_head',)`` for weights of an encoder.
        init_cfg: As ``mmengine.model.BaseModule``.

    Raises:
        UserError: transformers, the architecture or the weights cannot be had, or the weights lack
            or do not fit other layers than those.
    """

    def __init__(
        self,
        architecture: str,
        num_classes: int,
        config: dict | None = None,
        pretrained: str | None = None,
        new: Sequence[str] = (),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        with needing('transformers', 'zoo'):
            import transformers
        model_class = getattr(transformers, architecture, None)
        if model_class is None or not architecture.endswith(SUFFIXES):
            raise UserError(
                f'HFModel: {architecture} is no …{", …".join(SUFFIXES)} of transformers '
                f'{transformers.__version__}: take such as SegformerForSemanticSegmentation'
            )
        self.pretrained, self.new = pretrained, tuple(new)
        self._options, self._num_classes = config or {}, num_classes
        self.model = self._make(num_classes, model_class)

    def init_weights(self) -> None:
        """Fetch the pretrained weights, if asked for; transformers has set the others."""
        if not self.pretrained:
            return
        with fetching(self.pretrained):
            fetched, info = type(self.model).from_pretrained(
                self.pretrained,
                config=self.model.config,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        with torch.device('meta'):
            classifier = growing_axes(self._make, self._num_classes)
        parts = tuple(f'{part}.' for part in self.new)
        report_loading(
            self.pretrained,
            fetched,
            {*info['missing_keys'], *(key[0] for key in info['mismatched_keys'])},
            lambda name: name in classifier or name.startswith(parts),
        )
        self.model.load_state_dict(fetched.state_dict())

    def _make(self, num_classes: int, model_class: Any = None) -> Any:
        model_class = model_class or type(self.model)
        # Config classes write into the dicts that they are given.
        options = copy.deepcopy(dict(self._options))
        return model_class(model_class.config_class(**options, num_labels=num_classes))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the logits."""
        found = self.model(pixel_values=x)
        if hasattr(found, 'masks_queries_logits'):
            return [query_logits(found.class_queries_logits, found.masks_queries_logits)]
        return [found.logits]


def query_logits(classes: Tensor, masks: Tensor) -> Tensor:
    """Turn classified masks into logits of pixels.

    Args:
        classes: ``(N, Q, C + 1)`` logits of each query's class, the last one "no object".
        masks: ``(N, Q, h, w)`` logits of each query's mask.

    Returns:
        Tensor: ``(N, C, h, w)``; their softmax is the fraction of each class in the queries' votes.
    """
    votes = torch.einsum('nqc,nqhw->nchw', classes.softmax(-1)[..., :-1], masks.sigmoid())
    return votes.clamp(min=1e-8).log()
