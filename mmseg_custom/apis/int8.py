"""Making an exported model faster by 8-bit integers."""

import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmseg_custom.utils import UserError
from mmseg_custom.utils.extras import needing
from mmseg_custom.utils.silence import loggers_silenced

from .onnx_segmenter import OnnxSegmenter

# What has weights, and what joins them: in float it would need each of its inputs converted.
LAYERS = ('Conv', 'MatMul', 'Gemm')
JOINTS = ('Concat', 'Resize')
# The same of a network of convolutions, whose clippings become a part of the layer before them. The
# sums of a transformer have outliers that need float.
CONVOLUTIONAL_JOINTS = (*JOINTS, 'Add', 'Clip', 'Relu')
OF_TRANSFORMERS = ('LayerNormalization', 'Softmax')


class StaticQuantizer:
    """Quantizes an exported model with ranges that it measures on photos.

    Weights have one scale for each channel. What is before the first layer and after the last one
    stays in float: the photo, and the enlarging of the result with its softmax.

    Args:
        source: A file of :func:`~mmseg_custom.apis.export.export_onnx`.
        photos: ``(H, W, 3)`` uint8 RGB, of the kind that the model will see.

    Attributes:
        layers (list[str]): The names of the layers, in the order of the graph.

    Raises:
        UserError: No onnxruntime.
    """

    def __init__(self, source: str | os.PathLike, photos: Sequence[np.ndarray]):
        with needing('onnxruntime', 'export'):
            import onnxruntime
        import onnx

        self._folder = tempfile.TemporaryDirectory(prefix='int8')
        self._float = Path(self._folder.name, 'float.onnx')
        options = onnxruntime.SessionOptions()
        # Only what is the same everywhere: the file is run on other machines.
        level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.graph_optimization_level = level
        options.optimized_model_filepath = str(self._float)
        options.log_severity_level = 4
        onnxruntime.InferenceSession(os.fspath(source), options)
        graph = onnx.load(self._float).graph
        weights = {tensor.name for tensor in graph.initializer}
        self.layers = [
            node.name for node in graph.node if node.op_type in LAYERS and node.input[1] in weights
        ]
        self._joints = _between(graph, {*self.layers}, _joints_of(graph))
        self._metadata = {p.key: p.value for p in onnx.load(source).metadata_props}
        self._photos = photos

    def write(self, target: str | os.PathLike, floating: Collection[str] = ()) -> None:
        """Write the model.

        Args:
            target: The ``.onnx`` file.
            floating: Names of layers that stay in float.
        """
        import onnx
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        # It asks for a preparation that has been done.
        with loggers_silenced():
            quantize_static(
                self._float,
                target,
                _Photos(self._photos),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=[*LAYERS, *CONVOLUTIONAL_JOINTS],
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_quantize=[
                    *(name for name in self.layers if name not in floating),
                    *self._joints,
                ],
                calibration_cache_path=Path(self._folder.name, 'ranges.json'),
            )
        written = onnx.load(target)
        onnx.helper.set_model_props(written, self._metadata)
        onnx.save(written, target)


def quantize_within(
    quantizer: StaticQuantizer,
    target: str | os.PathLike,
    loss_of: Callable[[OnnxSegmenter], float],
    most: float,
) -> tuple[list[str], float]:
    """Write a model with as many 8-bit layers as the allowed loss permits.

    Layers go back to float from the first one on, twice as many at each step. Those that see the
    photo at its full resolution are the sensitive ones: of the twelve layers of
    ``weights/trash11`` whose quantization alone changes most, eleven are among the first fifteen.

    Args:
        quantizer: The model, with its ranges measured.
        target: The ``.onnx`` file.
        loss_of: Measures what a candidate loses, such as points of mIoU.
        most: The allowed loss.

    Returns:
        tuple[list[str], float]: The layers that stayed in float, and the loss.

    Raises:
        UserError: Nothing is within the loss.
    """
    count = 0
    while count < len(quantizer.layers):
        floating = quantizer.layers[:count]
        quantizer.write(target, floating)
        loss = loss_of(OnnxSegmenter(target))
        if loss <= most:
            return floating, loss
        count = max(1, 2 * count)
    raise UserError(
        f'int8 loses more than {most:g} points, however many layers stay in float ({loss:.2f} at '
        'last): use the model in float'
    )


def _joints_of(graph: Any) -> tuple[str, ...]:
    """Return the types of nodes that join layers in 8 bits."""
    is_transformer = any(node.op_type in OF_TRANSFORMERS for node in graph.node)
    return JOINTS if is_transformer else CONVOLUTIONAL_JOINTS


def _between(graph: Any, layers: Collection[str], kinds: Collection[str]) -> list[str]:
    """Return the names of nodes that compute from a layer's output what a layer takes.

    Args:
        graph: Of ONNX; its nodes are sorted, each after those that it needs.
        layers: Names of nodes.
        kinds: The types of the nodes.
    """
    made, needed = set(), set()
    for node in graph.node:
        if node.name in layers or made & {*node.input}:
            made.update(node.output)
    for node in reversed(graph.node):
        if node.name in layers or needed & {*node.output}:
            needed.update(node.input)
    return [
        node.name
        for node in graph.node
        if node.op_type in kinds and made & {*node.input} and needed & {*node.output}
    ]


class _Photos:
    """Gives photos to the calibration."""

    def __init__(self, photos: Sequence[np.ndarray]):
        self._photos: Iterator[np.ndarray] = iter(photos)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the input of the next run."""
        photo = next(self._photos, None)
        if photo is None:
            return None
        return dict(photo=np.ascontiguousarray(photo.transpose(2, 0, 1)[None]))
