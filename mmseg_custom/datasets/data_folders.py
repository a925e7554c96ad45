"""Where the photos and masks of an annotation file are."""

import logging
import os.path as osp

from mmengine.logging import print_log

from mmseg_custom.coco.photo_root import AnnPath, photo_root
from mmseg_custom.utils import UserError
from mmseg_custom.utils.addresses import why_not_plain
from mmseg_custom.utils.remote import is_dir, is_file, local_path


def existing_root(data_root: str) -> str:
    """Return the path of a data folder.

    Args:
        data_root: The folder, or the address of one.

    Raises:
        UserError: There is no such folder, or it is an archive.
    """
    data_root = local_path(data_root)
    if why_not := why_not_plain(data_root):
        raise UserError(why_not)
    if not is_dir(data_root):
        raise UserError(f'{data_root}: no such data folder', kind='missing-annotations')
    return data_root


def data_folders(ann_file: AnnPath, content: dict, data_prefix: dict[str, str]) -> dict[str, str]:
    """Return the folders of photos and masks: ``data_prefix``, or what the JSON says.

    Args:
        ann_file: The annotation file, named in messages.
        content: What is in it, valid.
        data_prefix: ``img_path`` and ``seg_map_path``.

    Raises:
        UserError: Photos of these names are in both, so either could be the wrong ones.
    """
    own, stored = data_prefix, str(photo_root(ann_file, content))
    names = [image['file_name'] for image in content['images'][:1]]
    says = isinstance(content.get('info'), dict) and 'data_root' in content['info']
    same = osp.realpath(stored) == osp.realpath(own['img_path'] or '.')
    if not says or same or not names or not is_file(osp.join(stored, names[0])):
        return own
    if is_file(osp.join(own['img_path'], names[0])):
        raise UserError(
            f'{ann_file}: says that its photos are in {stored}, but the data root is '
            f'{own["img_path"] or "."}, which has {names[0]}, too',
            kind='two-data-roots',
        )
    print_log(f'{ann_file}: photos from {stored}, as it says', 'current', logging.INFO)
    return dict(img_path=stored, seg_map_path=stored)


def join_folders(samples: list[dict], folders: dict[str, str]) -> None:
    """Put the folders before the names of photos, which become ``img_path``, and of masks.

    Args:
        samples: Of :func:`~mmseg_custom.coco.coco_to_samples`, changed in place.
        folders: See :func:`data_folders`.
    """
    for sample in samples:
        sample['img_path'] = sample.pop('file_name')
        for key in ('img_path', 'seg_map_path'):
            if key in sample:
                sample[key] = osp.join(folders[key], sample[key])
