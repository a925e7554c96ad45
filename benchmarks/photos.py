"""The photos that benchmarks work on."""

import tempfile
from pathlib import Path

from mmseg_custom.datasets import TrashCocoDataset

REAL = Path(__file__).resolve().parents[2] / 'shared' / 'data' / 'recycle_trash_sample'


def load_photos() -> tuple[TrashCocoDataset, str]:
    """Return a dataset and what it is: 50 real photos where they are, else 50 drawn ones."""
    if (REAL / 'train_all.json').is_file():
        return TrashCocoDataset('train_all.json', data_root=str(REAL)), '50 real photos, 512x512'
    from mmseg_custom.toy import write_toy_set

    folder = tempfile.mkdtemp()
    write_toy_set(folder, train=50, val=0, test=0, size=512)
    return TrashCocoDataset('train.json', data_root=folder), '50 drawn photos, 512x512'
