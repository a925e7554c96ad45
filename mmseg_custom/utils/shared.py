"""Find what the project ships beside its package: configs, tools, data_prep, apps."""

import sysconfig
from pathlib import Path

SHARE = Path('share', 'trash-seg')


def shared_folder() -> Path:
    """Return the folder that holds ``configs`` and ``tools``.

    It is the checkout, or the ``share/trash-seg`` that a wheel installed.
    """
    checkout = Path(__file__).resolve().parents[2]
    places = checkout, checkout / SHARE, Path(sysconfig.get_path('data')) / SHARE
    return next((place for place in places if (place / 'configs' / '_base_').is_dir()), checkout)


def part_names(folder: str) -> list[str]:
    """Return the names of the files in a folder of ``configs/_base_``, without suffix.

    Args:
        folder: Such as ``losses`` or ``augmentations``.
    """
    return sorted(path.stem for path in (shared_folder() / 'configs/_base_' / folder).glob('*.py'))
