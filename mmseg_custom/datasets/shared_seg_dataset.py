"""What MMSegmentation's data set lacks: one copy for all processes of a node, joined files."""

from collections.abc import Sequence

import numpy as np
from mmseg.datasets import BaseSegDataset

from mmseg_custom.coco.photo_root import AnnPath
from mmseg_custom.utils.node import processes_of_node, shared_arrays

from .content_key import content_key


class SharedSegDataset(BaseSegDataset):
    """A data set that one process of a node reads, and whose samples all of them map.

    Attributes:
        ann_file (str | AnnFiles): The annotation file, joined with the root already; or several.
        skip_broken (bool): Whether what is read depends on the photos, so that each process reads.
    """

    skip_broken: bool

    def full_init(self) -> None:
        """Read the set; of several processes on a node one reads it, and all map the result."""
        shares = processes_of_node() > 1 and self.serialize_data and not self.skip_broken
        if not shares or getattr(self, '_fully_initialized', False):
            super().full_init()
            return
        self.data_bytes, self.data_address = shared_arrays(content_key(self), self._read_arrays)
        self._fully_initialized = True

    def _read_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        super().full_init()
        return self.data_bytes, self.data_address

    def _join_prefix(self) -> None:
        # MMEngine's knows one file; ours are joined with the root already.
        joined = self.ann_file
        self.ann_file: AnnPath = ''
        super()._join_prefix()
        self.ann_file = joined

    def _get_serialized_subset(self, indices: Sequence[int] | int) -> tuple:
        # MMEngine fails at a number of photos that is all of them.
        everything = isinstance(indices, int) and abs(indices) == len(self)
        return super()._get_serialized_subset(range(len(self)) if everything else indices)
