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
