"""Writing a trained model as ONNX, and making it smaller."""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mmseg_custom import __version__
from mmseg_custom.export import PhotoModel
from mmseg_custom.utils import UserError
from mmseg_custom.utils.extras import needing

from .onnx_segmenter import FORMAT
from .segmenter import TrashSegmenter

# Two photos whose sides differ: a one, or two equal sides, would be merged while tracing.
EXAMPLE = (2, 3, 96, 160)


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
    if segmenter.model.test_cfg.get('mode') != 'whole':
        raise UserError('only a model that sees whole photos can be exported: no sliding window')
    if segmenter.steps != ['LoadImageFromNDArray', 'PackSegInputs']:
        raise UserError(
            f'the test pipeline of this experiment changes photos ({", ".join(segmenter.steps)}), '
            'which is not in an exported model: export an experiment that takes photos as they are'
        )
    output = 'mask' if argmax else 'probabilities'
    model = PhotoModel(segmenter.model, argmax).cpu().eval()
    _trace(model, path, output, opset)
    written = onnx.load(path)
    metadata = dict(
        format=str(FORMAT),
        trash_seg=__version__,
        classes=json.dumps(segmenter.classes.names),
        palette=json.dumps(segmenter.classes.mask_colors),
        class_list=json.dumps(segmenter.classes.to_plain()),
    )
    onnx.helper.set_model_props(written, metadata)
    onnx.save(written, path)


def quantise(source: str | os.PathLike, target: str | os.PathLike) -> None:
    """Write an exported model with int8 weights; activations are quantized as they come.

    Args:
        source: Written by :func:`export_onnx`.
        target: The ``.onnx`` file to write.

    Raises:
        UserError: No onnxruntime.
    """
    with needing('onnxruntime', 'export'):
        from onnxruntime.quantization import QuantType, quantize_dynamic
    with _silence():
        # onnxruntime multiplies convolutions only by unsigned weights.
        quantize_dynamic(source, target, weight_type=QuantType.QUInt8)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep down what the exporters say about tracing; what comes of it is checked afterwards."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(before)


def _trace(model: PhotoModel, path: str | os.PathLike, output: str, opset: int) -> None:
    """Write the graph.

    By TorchScript: torch.export's symbolic sizes took almost two minutes for the smallest Swin.
    """
    axes = {0: 'N', 2: 'H', 3: 'W'}
    result = {0: 'N', 1: 'H', 2: 'W'} if model.argmax else axes
    try:
        with _silence():
            torch.onnx.export(
                model,
                (torch.zeros(EXAMPLE, dtype=torch.uint8),),
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
