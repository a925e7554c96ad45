"""The photos that benchmarks work on."""

import tempfile
from pathlib import Path

from mmseg_custom.datasets import TrashCocoDataset

REAL = Path(__file__).resolve().parents[2] / 'shared' / 'data' / 'recycle_trash_sample'


PHOTOS = 50


def load_photos() -> tuple[TrashCocoDataset, str]:
    """Return a dataset and what it is: real photos where they are, otherwise drawn ones."""
    if (REAL / 'train_all.json').is_file():
        dataset = TrashCocoDataset('train_all.json', data_root=str(REAL), indices=PHOTOS)
        return dataset, f'{PHOTOS} real photos, 512x512'
    from mmseg_custom.toy import write_toy_set

    folder = tempfile.mkdtemp()
    write_toy_set(folder, train=PHOTOS, val=0, test=0, size=512)
    return TrashCocoDataset('train.json', data_root=folder), f'{PHOTOS} drawn photos, 512x512'
