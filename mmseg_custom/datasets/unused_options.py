"""Options of mmseg's datasets that have no effect on ours, or a wrong one."""

from mmseg_custom.classes import IGNORE_INDEX
from mmseg_custom.utils import UserError

REASONS = dict(
    img_suffix='the JSON names the photos',
    seg_map_suffix='the JSON names the masks',
    filter_cfg='no photo is filtered out',
    max_refetch='max_bad_images is the number of broken photos that may be skipped',
    ignore_index='the class list has the ignored label',
)
DEFAULTS = dict(img_suffix='.jpg', seg_map_suffix='.png', ignore_index=IGNORE_INDEX)


def require_used(options: dict) -> None:
    """Refuse options that would have no effect, or a wrong one.

    Args:
        options: Of ``mmseg.datasets.BaseSegDataset``. Its defaults, which a config may spell out,
            are removed.

    Raises:
        UserError: Names the option and why it has no effect.
    """
    if options.get('reduce_zero_label'):
        raise UserError(
            'TrashCocoDataset: reduce_zero_label=True would drop the first class; '
            'leave it False in the dataset and in the decode heads'
        )
    for name, reason in REASONS.items():
        value = options.pop(name, None)
        if value not in (None, DEFAULTS.get(name)):
            raise UserError(f'TrashCocoDataset: {name}={value!r} has no effect: {reason}')
