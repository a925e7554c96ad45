"""Checkpoints that run nothing, wherever MMEngine loads one."""

import os
from typing import Any

from mmengine.runner import CheckpointLoader

from mmseg_custom.checkpoints.safe_load import read_checkpoint


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_local(filename: str, map_location: Any = None) -> Any:
    """Load a local file for MMEngine's ``load_checkpoint``, ``Pretrained`` and runners.

    MMEngine's own lets ``getattr`` through, by which a pickle reaches everything, and goes on
    without any check, after a warning, when it meets something unknown.

    Args:
        filename: ``.pth`` or ``.safetensors``; ``~`` is the home folder.
        map_location: See :func:`torch.load`.

    Returns:
        Any: What the file holds.

    Raises:
        UserError: See :func:`mmseg_custom.checkpoints.safe_load.read_checkpoint`.
    """
    return read_checkpoint(os.path.expanduser(filename), map_location)
