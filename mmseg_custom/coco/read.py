"""Reading a COCO-style JSON file into samples that a dataset can hold."""

import json
import os
from collections.abc import Sequence
from typing import Any

from mmseg_custom.classes import ClassList
from mmseg_custom.utils import UserError
from mmseg_custom.utils.remote import fetched

from .ann_files import annotation_files, is_several
from .check import locate_problems, lost_annotations
from .fit import unfit_categories
from .join import join_files
from .segmentation import compact_segmentation, segmentation_area

SHOWN_PROBLEMS = 5


def read_coco(path: str | os.PathLike) -> dict[str, Any]:
    """Parse an annotation file, or several as one.

    Args:
        path: The file; or several, a folder, or a glob pattern, whose files are joined
            (:mod:`~mmseg_custom.coco.ann_files`).

    Returns:
        dict: The content, not checked any further; that of joined files has a valid structure.

    Raises:
        UserError: The file is missing, is not JSON, or holds no object; or there is no file to
            join, or one whose lists are broken.
    """
    files = annotation_files(path)
    if not is_several(path):
        return _read_file(path)
    parts = [(file, _read_file(file)) for file in files]
    for file, content in parts:
        problems = (one for one in locate_problems(content, None) if one.section != 'annotations')
        lost = lost_annotations(content)
        problem = next((one.message for one in problems if one.field != 'twice'), None) or lost
        if problem:
            raise UserError(f'{file}: {problem}')
    return join_files(path, parts)


def _read_file(path: str | os.PathLike) -> dict[str, Any]:
    try:
        # Tools on Windows write a byte order mark.
        with open(fetched(path), encoding='utf-8-sig') as file:
            content = json.load(file)
    except FileNotFoundError:
        raise UserError(f'{path}: no such annotation file', kind='missing-annotations') from None
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        # Bad JSON, bad UTF-8, a number of thousands of digits; lists nested too deep.
        raise UserError(
            f'{path}: does not parse as JSON ({error}); fetch or export it again'
        ) from None
    if not isinstance(content, dict):
        raise UserError(
            f'{path}: holds a {type(content).__name__} where a COCO object with "images", '
            '"annotations" and "categories" is wanted'
        )
    return content


def require_valid(path: str | os.PathLike, content: dict, classes: ClassList | None) -> None:
    """Raise when a parsed COCO file cannot be used.

    Args:
        path: Named in the message.
        content: What :func:`read_coco` returned.
        classes: The classes that categories are matched to; None when only the photos are
            used, so that any category will do.

    Raises:
        UserError: Names the first few problems.
    """
    if classes is not None:
        _require_same_labels(path, content, classes)
    problems = locate_problems(content, classes)
    found = list(problems)
    if classes is not None and any(problem.section == 'unfit' for problem in found):
        shown = [str(one) for one in unfit_categories(content, classes)]
        are = '1 category is' if len(shown) == 1 else f'{len(shown)} categories are'
        raise UserError(
            '\n  '.join([f'{path}: {are} none of the {classes}', *shown]),
            kind='unfit-categories',
        )
    if found:
        shown = [problem.message for problem in found[:SHOWN_PROBLEMS]]
        rest = [f'and {len(found) - len(shown)} more'] if len(found) > len(shown) else []
        in_annotations = all(problem.section == 'annotations' for problem in found)
        raise UserError(
            '\n  '.join([f'{path}: {shown[0]}', *shown[1:], *rest]),
            kind='broken-annotations' if in_annotations else '',
        )


def _require_same_labels(path: str | os.PathLike, content: dict, classes: ClassList) -> None:
    """Raise when mask files that a COCO file names were written with other classes."""
    info = content.get('info')
    noted = info.get('classes') if isinstance(info, dict) else None
    if isinstance(noted, list) and list(map(str, noted)) != list(classes.names):
        raise UserError(
            f'{path}: the labels in its mask files mean {", ".join(map(str, noted))}; '
            f'wanted are {classes}'
        )


def coco_to_samples(content: dict, classes: ClassList) -> list[dict[str, Any]]:
    """Turn a valid COCO file into one dict per image, annotations in painting order.

    Larger areas come first, so that small objects lie on top when painted in this order; equal
    areas keep the file's order. An annotation without ``area`` is measured.

    Args:
        content: A COCO object that :func:`require_valid` accepted.
        classes: The classes that categories are matched to.

    Returns:
        list[dict]: For each image ``img_id``, ``file_name``, ``height``, ``width`` and either
        ``seg_map_path`` (the image has a mask file) or ``annotations``, a list of
        ``(label, segmentation)`` with segmentations as
        :func:`~mmseg_custom.coco.segmentation.compact_segmentation` gives them.
    """
    labels = category_labels(content.get('categories', []), classes)
    samples = {}
    for image in content['images']:
        samples[image['id']] = sample = dict(
            img_id=image['id'],
            file_name=image['file_name'],
            height=image['height'],
            width=image['width'],
        )
        if image.get('seg_map_path') is not None:
            sample['seg_map_path'] = image['seg_map_path']
        elif 'annotations' in content:
            sample['annotations'] = []
    for annotation in content.get('annotations', []):
        sample = samples[annotation['image_id']]
        if 'annotations' not in sample:
            continue
        segmentation = compact_segmentation(annotation['segmentation'])
        area = annotation.get('area')
        if area is None:
            area = segmentation_area(segmentation, sample['height'], sample['width'])
        sample['annotations'].append((area, labels[annotation['category_id']], segmentation))
    for sample in samples.values():
        if 'annotations' in sample:
            sample['annotations'].sort(key=lambda item: -item[0])
            sample['annotations'] = [item[1:] for item in sample['annotations']]
    return list(samples.values())


def category_labels(categories: Sequence[dict], classes: ClassList) -> dict[int, int]:
    """Map category ids to labels by name; categories of other names are left out."""
    labels = {one['id']: classes.label_of(one['name']) for one in categories}
    return {key: label for key, label in labels.items() if label is not None}


def file_order(content: dict, classes: ClassList) -> list[int]:
    """Return all labels in the order of a file's categories, then those that it does not have.

    What is drawn at random goes through the classes in this order, so that another order of the
    class list draws the same.

    Args:
        content: A valid COCO object with annotations.
        classes: The class list.
    """
    categories = sorted(content['categories'], key=lambda c: (isinstance(c['id'], str), c['id']))
    found = dict.fromkeys(category_labels(categories, classes).values())
    found.pop(classes.ignore_index, None)
    rest = sorted(set(range(len(classes))) - set(found), key=lambda n: classes.names[n])
    return [*found, *rest]
