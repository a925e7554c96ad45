"""The files of predictions: masks, overlays, probabilities, one COCO file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.classes import ClassList
from mmseg_custom.coco import load_mask, make_coco, mask_annotations, save_mask
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.utils import UserError, atomic_path, write_json
from mmseg_custom.utils.progress import tqdm

from .photo_sources import PhotoSource
from .probabilities import FOLDER, write_probabilities

OVERLAY_QUALITY = 90


@dataclass(frozen=True)
class Outputs:
    """Where results go; each photo's files have its name.

    Attributes:
        folder: Gets ``masks`` (palette PNG), and what follows.
        overlays: Whether to write ``overlays`` (JPEG).
        probabilities: Whether to write ``probabilities`` (``.npz``, ``(C, H, W)`` float16).
        crf: Refines what is written; None: nothing does.
    """

    folder: Path
    overlays: bool = False
    probabilities: bool = False
    crf: DenseCrf | None = None

    def paths(self, name: str) -> dict[str, Path]:
        """Return the files of one photo by kind; the mask, written last, is last."""
        kinds = {'overlays': (self.overlays, 'jpg'), FOLDER: (self.probabilities, 'npz')}
        wanted = {k: suffix for k, (is_wanted, suffix) in kinds.items() if is_wanted}
        wanted['masks'] = 'png'
        return {kind: self.folder / kind / f'{name}.{s}' for kind, s in wanted.items()}

    def are_there(self, name: str) -> bool:
        """Tell whether a photo is done."""
        return all(path.is_file() for path in self.paths(name).values())

    def write(self, name: str, photo: Any, result: Segmentation) -> None:
        """Write the files of one photo.

        Args:
            name: Its name.
            photo: ``(H, W, 3)`` uint8 RGB; None if neither a CRF nor an overlay needs it.
            result: What was found in it.
        """
        if self.crf is not None:
            result = result.refined(photo, self.crf)
        paths = self.paths(name)
        if 'overlays' in paths:
            with atomic_path(paths['overlays']) as temporary:
                Image.fromarray(result.overlay(photo)).save(temporary, quality=OVERLAY_QUALITY)
        if FOLDER in paths:
            write_probabilities(paths[FOLDER], result.probabilities)
        save_mask(paths['masks'], result.mask, result.classes)


def write_coco(photos: Sequence[PhotoSource], outputs: Outputs, classes: ClassList) -> Path:
    """Describe the written masks as one COCO file; painting it gives the masks.

    Args:
        photos: What was predicted; those without a mask are left out.
        outputs: Where the masks are; ``predictions.json`` is written beside them.
        classes: What the labels mean.

    Returns:
        Path: The file.
    """
    entries = []
    for photo in tqdm(photos, desc='describing', unit='mask'):
        path = outputs.paths(photo.name)['masks']
        if path.is_file():
            with Image.open(path) as image:
                width, height = image.size
            mask = load_mask(path, height, width, classes)
            entry = photo.image or dict(file_name=photo.path.name, height=height, width=width)
            entries.append((entry, list(mask_annotations(mask, classes))))
    content = make_coco(dict(description='Predictions of trash-seg'), [], entries, classes)
    target = outputs.folder / 'predictions.json'
    write_json(target, content)
    return target


def require_same_run(folder: Path, made_from: dict) -> None:
    """Note what results are made from, or raise when the folder holds those of something else.

    Args:
        folder: Of the results.
        made_from: Model and options.

    Raises:
        UserError: Names the folder.
    """
    path = folder / 'predict.json'
    if not path.exists():
        write_json(path, made_from)
    elif json.loads(path.read_text(encoding='utf-8')) != made_from:
        raise UserError(
            f'{folder}: holds predictions of another model or other options',
            kind='folder-in-use',
        )
