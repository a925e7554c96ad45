"""Turn labels of any integer type into bytes without changing one into another."""

import numpy as np
import torch
from torch import Tensor

from mmseg_custom.coco import IGNORE_INDEX
from mmseg_custom.utils import UserError


def byte_labels(data: Tensor, name: str, what: str, ignore_index: int = IGNORE_INDEX) -> np.ndarray:
    """Return labels as bytes, converted on the device that holds them.

    Args:
        data: ``(1, H, W)`` or ``(H, W)`` labels of any integer type.
        name: Of the photo, for the message.
        what: ``prediction`` or ``truth``, for the message.
        ignore_index: The label that becomes ``IGNORE_INDEX``.

    Returns:
        np.ndarray: ``(H, W)`` uint8.

    Raises:
        UserError: A label is no byte, or is ``IGNORE_INDEX`` while another label is the ignored.
    """
    data = data.squeeze(0)
    if ignore_index != IGNORE_INDEX:
        if (data == IGNORE_INDEX).any():
            raise UserError(
                f'{name}: the {what} has the label {IGNORE_INDEX}, but {ignore_index} is the '
                'ignored one'
            )
        data = torch.where(data == ignore_index, IGNORE_INDEX, data.long())
    if data.dtype != torch.uint8 and data.numel():
        low, high = (int(value) for value in data.aminmax())
        if low < 0 or high > IGNORE_INDEX:
            outside = low if low < 0 else high
            raise UserError(f'{name}: the {what} has the label {outside}, which is no class')
    return data.to(torch.uint8).cpu().numpy()
