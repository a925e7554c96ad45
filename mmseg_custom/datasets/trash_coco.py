"""Trash photos with COCO annotations, read straight from the contest's JSON."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from mmseg_custom.classes import built_in, class_list
from mmseg_custom.coco import coco_to_samples, read_coco, require_valid
from mmseg_custom.coco.ann_files import joined_path
from mmseg_custom.utils import UserError
from mmseg_custom.utils.seeding import SeededIndex
from mmseg_custom.utils.shared_count import SharedCount

from .data_folders import data_folders, existing_root, join_folders
from .repeatable import require_repeatable
from .sample_checks import (
    load_sample_mask,
    readable_samples,
    require_files,
    require_labels,
    require_valid_masks,
)
from .shared_seg_dataset import SharedSegDataset
from .unused_options import require_used


@DATASETS.register_module()
class TrashCocoDataset(SharedSegDataset):
    """Semantic segmentation of trash from a COCO-style JSON, without a conversion step.

    Categories are matched to the classes by name, since ids differ between files. A pixel that no
    annotation covers has the label of the background, or is ignored in a list without one.
    Annotations are painted larger ``area`` first, so that small objects lie on top. An image entry
    with ``seg_map_path`` (a PNG of class indices, relative to ``data_prefix['seg_map_path']``) is
    labeled by that file instead.

    The full file is checked when the dataset is made: a fault is a :class:`UserError` that names
    the file and the fix. A photo that turns out to be broken while training stops the run as well
    (MMEngine would put a random other one in its place), unless ``max_bad_images`` allows to go
    past a few.

    Args:
        ann_file: The JSON, relative to ``data_root``; or several that are joined: a list, a folder,
            or a glob pattern (:mod:`~mmseg_custom.coco.ann_files`).
        data_root: Folder of the set.
        data_prefix: Folders of ``img_path`` and ``seg_map_path``, relative to ``data_root``.
        metainfo: MMSegmentation's, ``classes`` in any order and ``palette``, and the other keys of
            :meth:`~mmseg_custom.classes.ClassList.to_metainfo`; None: the default list.
        pipeline: Transforms; :class:`LoadTrashImage` and :class:`LoadTrashAnnotations` come first.
        test_mode: Labels are optional; a broken photo stops the run unless ``skip_broken`` is set.
        max_bad_images: How many photos that cannot be loaded each process may replace by the next
            one; every one is reported.
        skip_broken: Read every photo when the set is made, and leave out those that cannot be
            read. A test has it, where replacing a photo would falsify the result.
        cache_samples: Keep what the pipeline makes of each photo, about 12 bytes per pixel; the
            pipeline must have nothing random.
        **kwargs: As ``mmseg.datasets.BaseSegDataset``.

    Attributes:
        class_list (ClassList): What the labels mean.
        skipped (list[str]): Why photos were left out; it is up to the caller to report it.

    Raises:
        UserError: Wrong data, ``reduce_zero_label=True``, or an option that has no effect here.
    """

    def __init__(
        self,
        ann_file: str | Sequence[str],
        data_root: str | None = None,
        data_prefix: dict | None = None,
        metainfo: dict | None = None,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        max_bad_images: int = 0,
        skip_broken: bool = False,
        cache_samples: bool = False,
        **kwargs,
    ):
        data_root = data_root and existing_root(data_root)
        require_used(kwargs)
        metainfo = dict(metainfo or {})
        self.class_list = class_list(metainfo) if metainfo.get('classes') else built_in()
        self.max_bad_images = max_bad_images
        self.skip_broken = skip_broken
        self.skipped: list[str] = []
        # Shared by all workers, so that the limit holds for the process and not for each of them.
        self._bad_images = SharedCount() if max_bad_images else None
        super().__init__(
            ann_file=joined_path(ann_file, data_root or ''),
            data_root=data_root,
            data_prefix=dict(img_path='', seg_map_path='') | (data_prefix or {}),
            metainfo=metainfo | self.class_list.to_metainfo(),
            pipeline=list(pipeline),
            test_mode=test_mode,
            max_refetch=0,
            **kwargs,
        )
        self._samples: dict[int, dict] | None = None
        if cache_samples:
            require_repeatable(self.pipeline.transforms)
            self._samples = {}

    def load_data_list(self) -> list[dict]:
        """Read and check the JSON.

        Returns:
            list[dict]: For each photo ``img_id``, ``img_path``, ``height``, ``width``, and
            ``annotations`` or ``seg_map_path`` when it is labeled.

        Raises:
            UserError: Names the file, what is wrong, and the fix.
        """
        classes = self.class_list
        content = read_coco(self.ann_file)
        require_valid(self.ann_file, content, classes)
        samples = coco_to_samples(content, classes)
        self._require_labels(samples)
        join_folders(samples, data_folders(self.ann_file, content, self.data_prefix))
        if not self.backend_args:
            require_files(self.ann_file, samples)
        require_valid_masks(samples, classes)
        if self.skip_broken:
            samples, self.skipped = readable_samples(self.ann_file, samples)
        return samples

    def __getitem__(self, idx: int) -> dict:
        """Make a sample; an index that carries a seed makes the same one every time.

        Args:
            idx: From ``-len(self)`` to ``len(self) - 1``.

        Raises:
            IndexError: The index is outside; this also ends a ``for`` loop.
            UserError: The photo or its mask cannot be loaded (see ``max_bad_images``).
        """
        if not -len(self) <= idx < len(self):
            raise IndexError(f'index {idx} of a data set of {len(self)} photos')
        if isinstance(idx, SeededIndex) and self._samples is None:
            idx.apply()
        for place in range(idx, idx + len(self)):
            try:
                return self._make_sample(place % len(self))
            except UserError as error:
                if self.test_mode or not self._may_skip(error):
                    raise
        raise UserError(f'{self.ann_file}: none of its {len(self)} photos can be loaded')

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the labels in a photo, ascending, without Background and ignored pixels.

        Samplers and MMEngine's ``ClassBalancedDataset`` ask for it.
        """
        sample = self.get_data_info(idx)
        present = {label for label, _ in sample.get('annotations', [])}
        if 'seg_map_path' in sample:
            present = set(np.unique(load_sample_mask(sample, self.class_list)).tolist())
        classes = self.class_list
        return sorted(present - {classes.background, classes.ignore_index})

    def get_data_info(self, idx: int) -> dict:
        """Return a sample as MMEngine does, and the ``class_list`` of its labels."""
        return dict(super().get_data_info(idx), class_list=self.class_list)

    def _make_sample(self, idx: int) -> dict:
        if self._samples is None:
            return self._prepare(idx)
        if idx not in self._samples:
            self._samples[idx] = self._prepare(idx)
        return dict(self._samples[idx])

    def _prepare(self, idx: int) -> dict:
        sample = self.prepare_data(idx)
        if sample is None:
            path = self.get_data_info(idx)['img_path']
            raise UserError(f'{path}: a transform of the pipeline returned nothing for this photo')
        return sample

    def _may_skip(self, error: UserError) -> bool:
        """Count and report a photo that could not be loaded; False when that was one too many."""
        number = self._bad_images.take(self.max_bad_images) if self._bad_images else None
        if number is None:
            return False
        print_log(
            f'skipped broken photo {number} (at most {self.max_bad_images} allowed): {error}',
            logger='current',
            level=logging.WARNING,
        )
        return True

    def _require_labels(self, samples: list[dict]) -> None:
        require_labels(self.ann_file, samples, self.test_mode)
