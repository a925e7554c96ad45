"""Making a set without what an audit found."""

from collections.abc import Iterable, Iterator, Sequence

from pycocotools import mask as mask_utils

from mmseg_custom.coco.segmentation import compact_segmentation, segmentation_rle
from mmseg_custom.coco.write import new_ids
from mmseg_custom.utils import UserError

from .annotations import image_findings
from .changes import Change, list_changes
from .finding import ANNOTATION, IMAGE, Finding
from .options import AuditOptions
from .split_file import SplitFile


def fix_file(
    file: SplitFile, findings: Iterable[Finding], options: AuditOptions
) -> tuple[dict, list[Change]]:
    """Drop or correct everything that is an error or a warning.

    Where a dropped annotation was, what lies under it is seen, mostly Background.

    Args:
        file: Its entries are changed in place.
        findings: What the audit of all files found.
        options: The limits of that audit.

    Returns:
        tuple[dict, list[Change]]: The new COCO object, and what was done.

    Raises:
        UserError: The file cannot be read further, or no image would be left.
    """
    findings = [finding for finding in findings if finding.file == file.path]
    if file.valid is None:
        reason = next(f for f in findings if f.kind in ('broken-file', 'bad-category'))
        raise UserError(f'{file.path}: cannot be fixed automatically: {reason.message}')
    unknown = [f.message for f in findings if f.kind == 'unknown-category']
    if unknown:
        raise UserError(
            '\n  '.join([f'{file.path}: all annotations of these would be lost', *unknown]),
            kind='unfit-categories',
        )
    lost = {id(finding.entry) for finding in findings if finding.drops == IMAGE}
    images = [image for image in file.images if id(image) not in lost]
    if not images:
        raise UserError(f'{file.path}: no image would be left', kind='nothing-left')
    content = file.whole | dict(images=images)
    told = [f for f in findings if f.drops == IMAGE or f.kind == 'bad-annotation']
    if 'annotations' in file.whole:
        kept = {image['id'] for image in images}
        entries = [entry for entry in file.valid['annotations'] if entry['image_id'] in kept]
        _correct(file, told, entries)
        told += _fix_images(file, findings, kept, options)
        dropped = {id(finding.entry) for finding in told if finding.drops}
        content['annotations'] = [entry for entry in entries if id(entry) not in dropped]
    return content, list(list_changes(file, told, content))


def _correct(file: SplitFile, told: Sequence[Finding], entries: Sequence[dict]) -> None:
    """Give a new id or area to entries whose own is no id or number, or occurs twice."""
    images = {image['id']: image for image in file.images}
    numbers, kept = new_ids(entries), {id(entry) for entry in entries}
    for finding in told:
        if finding.field == 'id' and id(finding.entry) in kept:
            finding.entry['id'] = next(numbers)
        elif finding.field in ('area', 'bbox') and id(finding.entry) in kept:
            _measure(finding.entry, finding.field, images[finding.entry['image_id']])


def _measure(entry: dict, field: str, image: dict) -> None:
    segmentation = compact_segmentation(entry['segmentation'])
    rle = segmentation_rle(segmentation, image['height'], image['width'])
    measured = dict(area=float(mask_utils.area(rle)), bbox=mask_utils.toBbox(rle).tolist())
    entry[field] = measured[field]


def _fix_images(
    file: SplitFile, findings: Sequence[Finding], kept: set, options: AuditOptions
) -> Iterator[Finding]:
    """Correct the annotations of all kept images, and yield the findings that were acted on."""
    names = {finding.image for finding in findings if _concerns_annotation(finding)}
    for image, entries in file.painted:
        if image['file_name'] in names and image['id'] in kept:
            yield from _fix_image(file, image, entries, options)


def _fix_image(
    file: SplitFile, image: dict, entries: list[dict], options: AuditOptions
) -> Iterator[Finding]:
    while True:
        told = image_findings(file, image, entries, options)
        found = [finding for finding in told if _concerns_annotation(finding)]
        if not found:
            return
        # A wrong area may be all that hides an annotation, so that it comes first.
        found = [finding for finding in found if finding.field] or found
        for finding in found:
            if finding.field:
                _measure(finding.entry, finding.field, image)
        dropped = {id(finding.entry) for finding in found if finding.drops}
        entries = [entry for entry in entries if id(entry) not in dropped]
        yield from found


def _concerns_annotation(finding: Finding) -> bool:
    return finding.drops == ANNOTATION or finding.field in ('area', 'bbox')
