"""Albumentations' transforms, reproducible."""

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmseg.datasets.transforms import transforms as mmseg_transforms
from mmseg.registry import TRANSFORMS

from mmseg_custom.classes import IGNORE_INDEX
from mmseg_custom.utils import UserError


@TRANSFORMS.register_module()
class SeededAlbu(mmseg_transforms.Albu):
    """mmseg's ``Albu`` whose randomness follows from NumPy's, which a run seeds.

    Albumentations 2 has generators of its own, seeded by the system, so that the same run would
    see other photos each time. It ignores unknown arguments after a warning; here they are refused:
    ``mask_value`` of Albumentations 1 would fill the mask with label 0.

    Takes mmseg's arguments; ``transforms`` are dicts of Albumentations' classes. Pixels that come
    from outside of the photo are ignored: ``fill_mask`` is 255 where a dict does not state it.
    Albumentations' own default is 0, which would train them as the first class.

    Required keys: ``img`` (``(H, W, 3)`` uint8 BGR), ``gt_seg_map`` (``(H, W)`` uint8).

    Raises:
        UserError: Albumentations is missing, or has no such transform or argument.
    """

    def __init__(self, transforms: list[dict], **kwargs):
        if not mmseg_transforms.ALBU_INSTALLED:
            raise UserError('SeededAlbu: install Albumentations: pip install -e ".[augment]"')
        try:
            super().__init__(transforms, **kwargs)
        except (AttributeError, TypeError, ValueError) as error:
            raise UserError(f'SeededAlbu: {error}; see https://explore.albumentations.ai') from None

    def albu_builder(self, cfg: dict):
        """Build a transform, and refuse arguments that Albumentations 2 only warns about.

        Args:
            cfg: ``type`` and arguments; ``transforms`` in it are built by this method too.

        Raises:
            ValueError: Names the transform and the arguments.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', message=r'Argument\(s\) .* are not valid')
            built = super().albu_builder(_with_ignored_outside(cfg))
        unknown = getattr(built, 'invalid_args', ())
        if unknown:
            raise ValueError(f'{cfg["type"]} has no argument {", ".join(unknown)}')
        return built

    def transform(self, results: dict) -> dict:
        """Change ``img`` and ``gt_seg_map``."""
        self.aug.set_random_seed(int(np.random.randint(2**31)))
        results = super().transform(results)
        results['img_shape'] = results['img'].shape[:2]
        return results


def _with_ignored_outside(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """State ``fill_mask`` where Albumentations' default is a label; None leaves the mask alone."""
    import albumentations

    kind: Any = cfg['type']
    kind = getattr(albumentations, kind) if isinstance(kind, str) else kind
    parameter = inspect.signature(kind).parameters.get('fill_mask')
    if parameter is None or parameter.default is None:
        return dict(cfg)
    return {'fill_mask': IGNORE_INDEX, **cfg}
