"""Load local checkpoints for MMEngine without running code in them."""

import os
from typing import Any

from mmseg_custom.checkpoints.safe_load import read_checkpoint


def load_local(filename: str, map_location: Any = None) -> Any:
    """Load a local file for MMEngine's ``load_checkpoint``, ``Pretrained`` and runners.

    MMEngine's own allows ``getattr``, by which a pickle reaches everything, and when it meets
    something unknown it warns and continues without any check. In place during a training or a
    test, see :func:`~mmseg_custom.checkpoints.mmengine_files.safe_mmengine_files`.

    Args:
        filename: ``.pth`` or ``.safetensors``; ``~`` is the home folder.
        map_location: See :func:`torch.load`.

    Returns:
        Any: What the file holds.

    Raises:
        UserError: See :func:`mmseg_custom.checkpoints.safe_load.read_checkpoint`.
    """
    return read_checkpoint(os.path.expanduser(filename), map_location)
