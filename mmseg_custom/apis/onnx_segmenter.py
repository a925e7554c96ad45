"""An exported model as a function of a photo; needs neither PyTorch nor MMSegmentation."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mmseg_custom.classes import ClassList, choose_classes, class_list
from mmseg_custom.coco.photos import Photo, to_bgr
from mmseg_custom.utils import UserError
from mmseg_custom.utils.digests import digest_of_file
from mmseg_custom.utils.extras import needing
from mmseg_custom.utils.non_finite import NonFiniteOutput

from .segmentation import Segmentation

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FORMAT = 1


class OnnxSegmenter:
    """Finds the classes in photos with a file that ``tools/export.py`` wrote, on the CPU.

    Called like :class:`~mmseg_custom.apis.TrashSegmenter`, and by several threads as well.

    Args:
        file: The ``.onnx`` file.
        classes: See :func:`~mmseg_custom.classes.class_list`; None: those that the file carries.

    Attributes:
        classes (ClassList): What the labels mean.
        has_probabilities: False for a model that was exported with ``--argmax``. Its
            ``probabilities`` are 1 for the class in the mask and 0 for the others.

    Raises:
        UserError: No onnxruntime, or a file that is missing, damaged, not ours, or of
            other classes.

    Example:
        >>> OnnxSegmenter('work_dirs/demo_toy/model.onnx')('photo.jpg').area_shares
        {'Background': 0.93, 'Plastic bag': 0.07}
    """

    def __init__(self, file: str | os.PathLike, classes: Any = None):
        self._session = _open(file)
        metadata = self._session.get_modelmeta().custom_metadata_map
        if metadata.get('format') != str(FORMAT):
            raise UserError(
                f'{file}: was not exported by this version of trash-seg; export it again'
            )
        self.classes = choose_classes(
            None if classes is None else class_list(classes),
            _classes_in(metadata, os.fspath(file)),
            source=os.fspath(file),
        )
        self.has_probabilities = self._session.get_outputs()[0].name == 'probabilities'
        self.name = os.fspath(file)
        self.made_from = dict(weights=digest_of_file(file), classes=self.classes.to_plain())

    def __call__(self, photo: Photo) -> Segmentation:
        """Segment one photo; see :meth:`TrashSegmenter.__call__`.

        Args:
            photo: A file, a Pillow image, or an ``(H, W, 3)`` uint8 RGB array.

        Raises:
            UserError: The file is missing or broken, or the array has another form.
        """
        return self.batch([photo])[0]

    def batch(self, photos: Sequence[Photo]) -> list[Segmentation]:
        """Segment several photos of one size in one pass; photos of different sizes in turn.

        Args:
            photos: See :meth:`__call__`.

        Returns:
            list[Segmentation]: In the same order.

        Raises:
            UserError: See :meth:`__call__`, or onnxruntime fails at photos of this size.
        """
        arrays = [to_bgr(photo)[..., ::-1].transpose(2, 0, 1) for photo in photos]
        if len({array.shape for array in arrays}) > 1:
            return [self._run(array[None])[0] for array in arrays]
        return self._run(np.stack(arrays)) if arrays else []

    def _run(self, photos: np.ndarray) -> list[Segmentation]:
        """Segment ``(N, 3, H, W)`` uint8 RGB."""
        try:
            (found,) = self._session.run(None, dict(photo=np.ascontiguousarray(photos)))
        except Exception as error:
            # onnxruntime's errors have no class in common but this.
            reason = str(error).strip().partition('\n')[0]
            raise UserError(
                f'the ONNX model cannot segment photos of the form {photos.shape}: {reason}'
            ) from error
        if self.has_probabilities:
            self._require_finite(found)
            masks = found.argmax(axis=1).astype(np.uint8)
        else:
            masks, found = found, _one_hot(found, len(self.classes))
        return [
            Segmentation(mask, probabilities, self.classes)
            for mask, probabilities in zip(masks, found, strict=True)
        ]

    def _require_finite(self, probabilities: np.ndarray) -> None:
        strange = ~np.isfinite(probabilities).all(axis=(1, 2, 3))
        if strange.any():
            raise NonFiniteOutput.of(self.name, f'photo {int(strange.argmax()) + 1} of the batch')


def _classes_in(metadata: Mapping[str, str], file: str) -> ClassList:
    if 'class_list' in metadata:
        return class_list(json.loads(metadata['class_list']), file)
    # Files of version 0.1 have no more than this.
    metainfo = {key: json.loads(metadata[key]) for key in ('classes', 'palette')}
    return class_list(metainfo, file)


def _one_hot(masks: np.ndarray, num_classes: int) -> np.ndarray:
    """Return ``(N, C, H, W)`` float32 for labels ``(N, H, W)``."""
    return (masks[:, None] == np.arange(num_classes)[:, None, None]).astype(np.float32)


def _open(file: str | os.PathLike) -> 'InferenceSession':
    if not os.path.isfile(file):
        raise UserError(f'{file}: no such model')
    with needing('onnxruntime', 'export'):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    # What goes wrong is raised as well; its log would stand beside our message.
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            os.fspath(file), options, providers=['CPUExecutionProvider']
        )
    except Exception as error:
        raise UserError(
            f'{file}: is damaged or no ONNX model that onnxruntime {onnxruntime.__version__} can '
            'run; copy or export it again'
        ) from error
