"""Writing a trained model in the other formats than ONNX."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmseg_custom.export import PhotoModel, views_of
from mmseg_custom.export.tracing import TracingMode
from mmseg_custom.utils import UserError, write_json
from mmseg_custom.utils.extras import needing

from .export import metadata_of, segmentor_of, silence
from .ncnn_segmenter import NcnnSegmenter
from .openvino_segmenter import SECTION
from .segmenter import TrashSegmenter

# Two sizes of a photo, in pixels or somewhat more: pnnx takes for free what differs between them.
SIZES = ((256, 320), (192, 384))


def export_openvino(onnx_file: str | os.PathLike, path: str | os.PathLike, half: bool) -> None:
    """Write the ``.xml`` and ``.bin`` of an exported model.

    Args:
        onnx_file: A file of :func:`~mmseg_custom.apis.export.export_onnx`.
        path: The ``.xml`` file.
        half: Store weights as float16.

    Raises:
        UserError: No package openvino, or it cannot convert the model.
    """
    with needing('openvino', 'openvino'):
        import openvino
    import onnx

    try:
        model = openvino.Core().read_model(os.fspath(onnx_file))
    except Exception as error:
        reason = str(error).strip().rpartition('\n')[2]
        raise UserError(f'OpenVINO cannot convert this model: {reason}') from error
    for entry in onnx.load(onnx_file).metadata_props:
        model.set_rt_info(entry.value, [SECTION, entry.key])
    openvino.save_model(model, path, compress_to_fp16=half)


def export_ncnn(segmenter: TrashSegmenter, path: str | os.PathLike, half: bool) -> None:
    """Write the ``.ncnn.param``, ``.ncnn.bin`` and ``.ncnn.json`` of a model.

    Args:
        segmenter: The model.
        path: The ``.ncnn.param`` file.
        half: Store weights as float16.

    Raises:
        UserError: No package pnnx, or it cannot convert the model.
    """
    with needing('pnnx', 'ncnn'):
        import pnnx
    segmentor = segmentor_of(segmenter)
    model = PhotoModel(segmentor, views_of(segmenter.pipeline)).cpu().eval()
    if segmentor.align_corners or any(model.least):
        raise UserError(
            'ncnn cannot hold this model: its photos are padded to one size, or its logits are '
            'resized with aligned corners'
        )
    graph, weights, description = NcnnSegmenter.files(path)
    sizes = [[-(-side // model.divisor) * model.divisor for side in size] for size in SIZES]
    _convert(_Network(model), sizes, graph, weights, pnnx.EXEC_PATH, half)
    content = dict(metadata=metadata_of(segmenter), around=_around(model, segmenter.pipeline))
    write_json(description, content)
    try:
        NcnnSegmenter(path)
    except UserError as error:
        raise UserError('ncnn cannot hold this model: it lacks some of its operators') from error


class _Network(nn.Module):
    """The part from a prepared photo to logits of its size."""

    def __init__(self, model: PhotoModel):
        super().__init__()
        self.segmentor: Any = model.segmentor

    def forward(self, x: Tensor) -> Tensor:
        return self.segmentor.encode_decode(x, [dict(img_shape=tuple(x.shape[2:]))])


def _convert(  # noqa: PLR0913
    network: nn.Module,
    sizes: Sequence[Sequence[int]],
    graph: Path,
    weights: Path,
    program: str,
    half: bool,
) -> None:
    """Trace the network and let pnnx convert it."""
    traced = graph.with_name('network.pt')
    try:
        with silence(), torch.no_grad(), TracingMode():
            torch.jit.trace(network, torch.zeros(1, 3, *sizes[0]), check_trace=False).save(traced)
    except Exception as error:
        # Tracing runs the model's own code, and that may raise anything.
        reason = str(error).strip().partition('\n')[0]
        raise UserError(f'this model cannot be exported to ncnn: {reason}') from error
    shapes = [f'[1,3,{height},{width}]' for height, width in sizes]
    inputs = [f'inputshape={shapes[0]}', f'inputshape2={shapes[1]}', f'fp16={int(half)}']
    names = [f'ncnnparam={graph}', f'ncnnbin={weights}']
    command = [program, str(traced), *inputs, *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=graph.parent)
    if done.returncode or not graph.is_file():
        raise UserError(f'ncnn cannot hold this model: pnnx ends with code {done.returncode}')


def _around(model: PhotoModel, pipeline: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is done before and after the network, as plain data."""
    preprocessor: Any = model.segmentor.data_preprocessor
    normalized = model.is_normalized
    return dict(
        views=[[dict(step) for step in view.configs] for view in views_of(pipeline)],
        mean=preprocessor.mean.flatten().tolist() if normalized else [0.0] * 3,
        std=preprocessor.std.flatten().tolist() if normalized else [1.0] * 3,
        bgr=model.wants_bgr,
        divisor=model.divisor,
        pad_value=model.pad_value,
    )
