"""Photos to learn from without labels."""

import logging

from mmengine.logging import print_log
from mmseg.registry import DATASETS

from mmseg_custom.coco import IGNORE_INDEX
from mmseg_custom.coco.photo_folders import photos_below
from mmseg_custom.coco.photos import PHOTO_SUFFIXES, photo_size
from mmseg_custom.coco.segmentation import compact_segmentation
from mmseg_custom.utils import UserError
from mmseg_custom.utils.remote import is_dir

from .trash_coco import TrashCocoDataset


@DATASETS.register_module()
class UnlabelledPhotos(TrashCocoDataset):
    """``TrashCocoDataset`` without labels: every pixel of every photo is ignored (255).

    It goes through the same transforms and beside labeled sets in a ``ConcatDataset``. Labels that
    a JSON has are not used. A sample says ``labelled=False``; a model that asks for it needs the
    key among the ``meta_keys`` of ``PackSegInputs``. A photo that cannot be loaded is named once by
    each worker, and the next one takes its place: nobody labeled it, so nobody looked at it before.

    Args:
        ann_file: The JSON, or a folder that is searched for photos, relative to ``data_root``.
        **kwargs: As :class:`TrashCocoDataset`.

    Raises:
        UserError: Wrong data, or a folder without photos.
    """

    def load_data_list(self) -> list[dict]:
        """List the photos.

        Returns:
            list[dict]: As :meth:`TrashCocoDataset.load_data_list`, with ``labelled=False`` and one
            annotation that ignores the whole photo.

        Raises:
            UserError: Names the file, what is wrong, and the fix.
        """
        in_folder = is_dir(self.ann_file)
        samples = self._photos_of_folder() if in_folder else super().load_data_list()
        for sample in samples:
            sample.pop('seg_map_path', None)
            size = [sample['height'], sample['width']]
            whole = compact_segmentation(dict(size=size, counts=[0, size[0] * size[1]]))
            sample.update(annotations=[(IGNORE_INDEX, whole)], labelled=False)
        return samples

    def _photos_of_folder(self) -> list[dict]:
        samples = []
        for path in photos_below(self.ann_file):
            try:
                height, width = photo_size(path)
            except UserError as error:
                print_log(f'skipped: {error}', 'current', logging.WARNING)
                continue
            samples.append(
                dict(img_id=len(samples), img_path=str(path), height=height, width=width)
            )
        if not samples:
            raise UserError(f'{self.ann_file}: has no photo ({", ".join(sorted(PHOTO_SUFFIXES))})')
        return samples

    def _may_skip(self, error: UserError) -> bool:
        """Report a photo that cannot be loaded, when it is met for the first time."""
        if str(error) not in self.skipped:
            self.skipped.append(str(error))
            print_log(f'skipped: {error}', 'current', logging.WARNING)
        return True

    def _require_labels(self, samples: list[dict]) -> None:
        """Ask for photos only."""
        super()._require_labels([dict(sample, annotations=[]) for sample in samples])
