"""A model of OpenVINO as a function of a photo."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmseg_custom.utils import UserError
from mmseg_custom.utils.extras import needing

from .exported_segmenter import ExportedSegmenter, cpu_threads

# Under which name in the file's own information.
SECTION = 'trash_seg'


class OpenVinoSegmenter(ExportedSegmenter):
    """Runs an ``.xml`` file with its ``.bin`` beside it.

    Computes in float32, also where the processor has bfloat16: resizing a photo needs it. See
    :class:`~mmseg_custom.apis.exported_segmenter.ExportedSegmenter`.
    """

    @staticmethod
    def files(file: str | os.PathLike) -> list[Path]:
        """Return the graph and the weights."""
        return [Path(file), Path(file).with_suffix('.bin')]

    def _open(self, file: Path) -> Mapping[str, str]:
        with needing('openvino', 'openvino'):
            import openvino
        options = {'INFERENCE_PRECISION_HINT': 'f32', 'INFERENCE_NUM_THREADS': cpu_threads()}
        try:
            core = openvino.Core()
            model = core.read_model(file)
            self._model = core.compile_model(model, 'CPU', options)
        except Exception as error:
            raise UserError(
                f'{file}: is damaged or no model that OpenVINO {openvino.__version__} can run; '
                'copy or export it again'
            ) from error
        (output,) = model.outputs
        self.has_probabilities = 'probabilities' in output.names
        if not model.has_rt_info([SECTION]):
            return {}
        return {key: str(value) for key, value in model.get_rt_info([SECTION]).value.items()}

    def _infer(self, photos: np.ndarray) -> np.ndarray:
        # One request for each call: it is called by several threads.
        return self._model.create_infer_request().infer([photos])[0]
