"""Making the label mask of a photo from its COCO annotations or its mask file."""

from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmseg_custom.coco import load_mask, paint


@TRANSFORMS.register_module()
class LoadTrashAnnotations(BaseTransform):
    """Paint the label mask of a photo, pixel-identical to pycocotools.

    A photo without annotations is unlabeled everywhere (background, or ignored); one with neither
    key gets no mask.

    Required keys: ``height`` and ``width`` (pixels) and ``class_list`` (a
    :class:`~mmseg_custom.classes.ClassList`) with ``annotations`` (a list of ``(label,
    segmentation)`` in painting order, see :func:`mmseg_custom.coco.coco_to_samples`) or
    ``seg_map_path``.

    Added keys: ``gt_seg_map`` (``(H, W)`` uint8 labels) and its name in ``seg_fields``.
    """

    def transform(self, results: dict) -> dict:
        """Add the label mask.

        Raises:
            UserError: A mask file is missing, unreadable, of another size, or has strange labels.
        """
        if 'seg_map_path' not in results and 'annotations' not in results:
            return results  # also where nothing is known but the photo
        size, classes = (results['height'], results['width']), results['class_list']
        if 'seg_map_path' in results:
            mask = load_mask(results['seg_map_path'], *size, classes)
        else:
            mask = paint(results['annotations'], *size, classes.unlabeled)
        results['gt_seg_map'] = mask
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
