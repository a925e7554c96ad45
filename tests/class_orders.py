"""Class lists other than the contest's, and one model in two orders of its classes.

Tests import it as `from class_orders import ...`.
"""

from pathlib import Path

import numpy as np
import torch

from mmseg_custom.classes import ClassList, built_in

OBJECTS = built_in().names[1:]
LISTS = dict(
    twelve=dict(names=list(built_in('recycle_trash_2021').names)),
    one=dict(names=['Litter', 'Ground'], background='Ground'),
    no_background=dict(names=list(OBJECTS)),
    permuted=dict(names=[*OBJECTS[6:], 'Background', *OBJECTS[:6]]),
)


def permute(checkpoint: Path, classes: ClassList, target: Path) -> np.ndarray:
    """Write the same model with its classes in another order; return the new label of each."""
    order = np.array([built_in().label_of(name) for name in classes.names])
    content = torch.load(checkpoint, weights_only=False)
    for key, value in content['state_dict'].items():
        if 'conv_seg' in key:
            content['state_dict'][key] = value[torch.from_numpy(order)]
    content['meta']['dataset_meta'] = classes.to_metainfo()
    torch.save(content, target)
    return np.argsort(order)
