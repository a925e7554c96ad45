"""The Swin of transformers in a form that can be traced for any size."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


def exportable_hf_class(part: nn.Module) -> type[nn.Module] | None:
    """Return the class that does as a part of transformers' Swin does, None for other parts."""
    kind = type(part)
    if kind.__module__ != 'transformers.models.swin.modeling_swin':
        return None
    mixin: Any = {'SwinLayer': AlwaysCut, 'SwinPatchMerging': AlwaysPadded}.get(kind.__name__)
    return mixin and type(f'Exportable{kind.__name__}', (mixin, kind), {})


class AlwaysCut:
    """Cuts the padding of windows off, also where there is none: a trace keeps the ``if``."""

    def maybe_pad(self, hidden_states: Tensor, height: Any, width: Any) -> tuple[Tensor, tuple]:
        """Return the padded map, and sides that count as padded."""
        padded, _ = super().maybe_pad(hidden_states, height, width)  # type: ignore[misc]
        return padded, (0, 0, 0, 1, 0, 1)


class AlwaysPadded:
    """Pads to even sides, also by nothing: a trace keeps the ``if``."""

    def maybe_pad(self, input_feature: Tensor, height: Any, width: Any) -> Tensor:
        """Pad ``(N, H, W, C)``."""
        return F.pad(input_feature, (0, 0, 0, width % 2, 0, height % 2))
