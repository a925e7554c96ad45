"""Swin's attention in shifted windows for an ONNX graph whose sizes are not known yet."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmseg.models.backbones.swin import ShiftWindowMSA
from torch import Tensor, nn

OTHER_REGION = -100.0


class ExportableShiftWindowMSA(nn.Module):
    """Does what mmseg's ``ShiftWindowMSA`` does; shares its weights.

    The original computes sizes with ``int`` and ``if`` and paints its mask slice by slice, which a
    traced graph keeps as they were for the example. Here all of it is arithmetic on shapes.

    Args:
        original: In evaluation: its drop path is left out.
    """

    def __init__(self, original: ShiftWindowMSA):
        super().__init__()
        self.w_msa = original.w_msa
        self.window_size, self.shift_size = original.window_size, original.shift_size

    def forward(self, query: Tensor, hw_shape: Sequence[int]) -> Tensor:
        """Attend.

        Args:
            query: ``(N, H * W, C)``.
            hw_shape: ``(H, W)``.

        Returns:
            Tensor: ``(N, H * W, C)``.
        """
        size, shift = self.window_size, self.shift_size
        (n, _, channels), (height, width) = query.shape, hw_shape
        missing = [(size - side % size) % size for side in (height, width)]
        x = F.pad(query.reshape(n, height, width, channels), (0, 0, 0, missing[1], 0, missing[0]))
        rows, columns = x.shape[1], x.shape[2]
        mask = None
        if shift:
            x = torch.roll(x, (-shift, -shift), (1, 2))
            mask = self._mask(rows, columns, x)
        x = self.w_msa(self._windows(x), mask=mask)
        x = x.reshape(n, rows // size, columns // size, size, size, channels)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(n, rows, columns, channels)
        if shift:
            x = torch.roll(x, (shift, shift), (1, 2))
        return x[:, :height, :width].reshape(n, height * width, channels)

    def _windows(self, x: Tensor) -> Tensor:
        """Cut ``(N, H, W, C)`` into ``(windows of all, pixels of a window, C)``."""
        size = self.window_size
        n, height, width, channels = x.shape
        x = x.reshape(n, height // size, size, width // size, size, channels)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size * size, channels)

    def _mask(self, rows: int, columns: int, like: Tensor) -> Tensor:
        """Return what is added between pixels that the shift made neighbours, ``(windows, P, P)``.

        Args:
            rows: Height in pixels.
            columns: Width in pixels.
            like: Gives device and type.
        """
        regions = 3 * self._regions(rows, like)[:, None] + self._regions(columns, like)[None]
        regions = self._windows(regions[None, :, :, None])[..., 0]
        return (regions[:, None] != regions[:, :, None]).to(like.dtype) * OTHER_REGION

    def _regions(self, side: int, like: Tensor) -> Tensor:
        """Number the pixels of a side: 0, 1 in the last window, 2 where the shift came from."""
        place = torch.arange(side, device=like.device)
        last = (place >= side - self.window_size).long()
        return last + (place >= side - self.shift_size).long()
