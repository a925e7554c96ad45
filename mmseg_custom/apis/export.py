"""Writing a trained model as ONNX."""

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import torch

from mmseg_custom import __version__
from mmseg_custom.export import PhotoModel, views_of
from mmseg_custom.export.photo_sizes import photo_sizes, side_limits
from mmseg_custom.export.tracing import TracingMode
from mmseg_custom.utils import UserError
from mmseg_custom.utils.extras import needing
from mmseg_custom.utils.silence import loggers_silenced

from .exported_segmenter import FORMAT
from .segmenter import TrashSegmenter

# In the batch to trace with: a one would be merged with other ones.
PHOTOS = 2


def export_onnx(
    segmenter: TrashSegmenter, path: str | os.PathLike, argmax: bool = False, opset: int = 17
) -> None:
    """Write a model that takes any number of photos of any size.

    Input ``photo``, ``(N, 3, H, W)`` uint8 RGB. Output ``probabilities``, ``(N, C, H, W)`` float32,
    or ``mask``, ``(N, H, W)`` uint8. Normalizing, padding and cropping are in the graph; the
    metadata hold ``classes``, ``palette`` and ``class_list`` as JSON, ``format`` and ``trash_seg``,
    the version.

    Args:
        segmenter: The model.
        path: The ``.onnx`` file.
        argmax: Write labels instead of probabilities.
        opset: The version of ONNX's operators, at least 14.

    Raises:
        UserError: No package onnx, or the model cannot be exported.
    """
    with needing('onnx', 'export'):
        import onnx
    segmentor = segmentor_of(segmenter)
    if segmentor.test_cfg.get('mode') != 'whole':
        raise UserError('only a model that sees complete photos can be exported: no sliding window')
    output = 'mask' if argmax else 'probabilities'
    model = PhotoModel(segmentor, views_of(segmenter.pipeline), argmax).cpu().eval()
    _trace(model, path, output, opset, sizes_for(segmenter)[0])
    written = onnx.load(path)
    onnx.helper.set_model_props(written, metadata_of(segmenter))
    onnx.save(written, path)


def metadata_of(segmenter: TrashSegmenter) -> dict[str, str]:
    """Return what an exported file says about its model.

    Args:
        segmenter: The model.
    """
    return dict(
        format=str(FORMAT),
        trash_seg=__version__,
        classes=json.dumps(segmenter.classes.names),
        palette=json.dumps(segmenter.classes.mask_colors),
        class_list=json.dumps(segmenter.classes.to_plain()),
    )


def sizes_for(segmenter: TrashSegmenter) -> list[tuple[int, int]]:
    """Return heights and widths of photos, one to export a model with and two to check it with.

    Args:
        segmenter: The model.
    """
    limits = side_limits(segmentor_of(segmenter), views_of(segmenter.pipeline))
    return photo_sizes(limits)


def segmentor_of(segmenter: TrashSegmenter) -> Any:
    """Return the model without its test-time augmentation.

    Args:
        segmenter: The model.
    """
    return getattr(segmenter.model, 'module', segmenter.model)


@contextmanager
def silence() -> Iterator[None]:
    """Keep down what the exporters say about tracing; what comes of it is checked afterwards."""
    # At an operator that it lacks the exporter prints the complete graph.
    with loggers_silenced(), warnings.catch_warnings(), redirect_stdout(None):
        warnings.simplefilter('ignore')
        yield


def _trace(model: PhotoModel, path: str | os.PathLike, output: str, opset: int, size) -> None:
    """Write the graph.

    By TorchScript: torch.export's symbolic sizes took almost two minutes for the smallest Swin.
    """
    axes = {0: 'N', 2: 'H', 3: 'W'}
    result = {0: 'N', 1: 'H', 2: 'W'} if model.argmax else axes
    try:
        with silence(), TracingMode():
            torch.onnx.export(
                model,
                (torch.zeros(PHOTOS, 3, *size, dtype=torch.uint8),),
                os.fspath(path),
                dynamo=False,
                opset_version=opset,
                input_names=['photo'],
                output_names=[output],
                dynamic_axes={'photo': axes, output: result},
            )
    except Exception as error:
        # Tracing runs the model's own code, and that may raise anything.
        reason = str(error).strip().partition('\n')[0]
        raise UserError(f'this model cannot be exported to ONNX: {reason}') from error
