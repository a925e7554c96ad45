"""The formats of exported models, known by the names of their files."""

import os
from importlib import import_module
from typing import Any

from .exported_segmenter import ExportedSegmenter

# Imported when one is loaded: each needs a package of its own.
SEGMENTERS = {
    '.onnx': ('.onnx_segmenter', 'OnnxSegmenter'),
    '.xml': ('.openvino_segmenter', 'OpenVinoSegmenter'),
    '.ncnn.param': ('.ncnn_segmenter', 'NcnnSegmenter'),
}


def suffix_of(path: str | os.PathLike) -> str | None:
    """Return how the name of an exported model ends, None if it is no exported one.

    Args:
        path: Of any model.
    """
    name = os.fspath(path).lower()
    return next((suffix for suffix in SEGMENTERS if name.endswith(suffix)), None)


def segmenter_class(suffix: str) -> type[ExportedSegmenter]:
    """Return the class that runs a format.

    Args:
        suffix: A key of :data:`SEGMENTERS`.
    """
    module, name = SEGMENTERS[suffix]
    return getattr(import_module(module, __package__), name)


def load_exported(file: str | os.PathLike, classes: Any = None) -> ExportedSegmenter:
    """Load a file that ``tools/export.py`` wrote, without importing torch.

    Args:
        file: With one of the names in :data:`SEGMENTERS`.
        classes: See :class:`~mmseg_custom.apis.exported_segmenter.ExportedSegmenter`.

    Raises:
        UserError: See there.
    """
    suffix = suffix_of(file)
    assert suffix is not None, file
    return segmenter_class(suffix)(file, classes)
