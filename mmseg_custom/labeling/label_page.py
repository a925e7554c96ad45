"""The page of ``tools/label_errors.py``: crops of the labels that may be wrong, the worst first."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pycocotools import mask as mask_utils

from mmseg_custom.coco import load_mask
from mmseg_custom.prediction.photo_sources import PhotoSource
from mmseg_custom.utils.parallel import in_threads
from mmseg_custom.visualization import overlay
from mmseg_custom.visualization.pages.ranked_page import (
    RankedPicture,
    RankedSection,
    ranked_picture,
    write_ranked_page,
)
from mmseg_custom.visualization.thumbnails import crop_window, thumbnail

from .judged import JudgedFiles
from .suspects import Suspect

SIDE = 300
TEXTS = dict(
    swapped=('Swapped classes', 'The model sees another class in the object.'),
    missing=('Missing objects', 'The model sees an object where nothing is labeled.'),
    outline=('Sloppy outlines', 'The model sees another outline in and close around the object.'),
)


def write_label_page(
    path: Path,
    files: JudgedFiles,
    found: Mapping[str, Sequence[Suspect]],
    sources: Mapping[str, PhotoSource],
    number: int,
) -> None:
    """Show the suspicious labels, as labeled and as the model sees them.

    Args:
        path: The HTML file.
        files: The labels, and where the predicted masks are.
        found: By kind, see :func:`~mmseg_custom.labeling.suspects.worst`.
        sources: The photos by file name.
        number: Of photos that were judged.
    """

    def entry(item: tuple[int, Suspect]) -> RankedPicture:
        return _entry(*item, files, sources[item[1].file_name])

    sections = []
    for kind, some in found.items():
        title, text = TEXTS[kind]
        entries = list(in_threads(entry, list(enumerate(some, 1)), 'drawing'))
        sections.append(RankedSection(title, f'{text} Left the label, right the model.', entries))
    text = (
        f'Of {number} photos, the worst first. The model errs, too: this is an order in which to '
        'look.'
    )
    title, tool = 'Labels that may be wrong', 'tools/label_errors.py'
    write_ranked_page(path, title, text, sections, files.photos.classes, tool)


def _entry(rank: int, one: Suspect, files: JudgedFiles, source: PhotoSource) -> RankedPicture:
    classes = files.photos.classes
    photo = source.read()
    height, width = photo.shape[:2]
    labels = files.photos.mask(files.photos.layers(one.file_name))
    seen = load_mask(files.mask_path(source.name), height, width, classes)
    window = crop_window(mask_utils.decode(one.segmentation))
    pictures = [
        (what, thumbnail(overlay(photo, mask, classes)[window], SIDE))
        for what, mask in (('label', labels), ('model', seen))
    ]
    what = classes.names[one.suggested]
    if one.kind == 'swapped' and one.label is not None:
        what = f'{classes.names[one.label]} \N{RIGHTWARDS ARROW} {what}'
    return ranked_picture(pictures, [f'{rank}. {what}', one.file_name, f'score {one.score:.3f}'])
