"""What the samples of a data set depend on, as a digest."""

import hashlib
import os

from mmseg_custom.coco.ann_files import existing_files
from mmseg_custom.utils.remote import fetched


def content_key(dataset) -> str:
    """Return 32 characters that differ for data sets that differ in files or options.

    Args:
        dataset: A :class:`~mmseg_custom.datasets.TrashCocoDataset` that has read nothing yet.
    """
    files = [os.stat(fetched(path)) for path in existing_files(dataset.ann_file)]
    identity = [(file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns) for file in files]
    options = (dataset.data_root, dataset.data_prefix, dataset.filter_cfg, dataset.test_mode)
    said = (type(dataset).__name__, dataset.ann_file, identity, options, dataset._indices)
    classes = dataset.class_list.to_plain()
    return hashlib.sha256(repr((said, classes)).encode()).hexdigest()[:32]
