"""An ONNX file as a function of a photo, by onnxruntime."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmseg_custom.utils import UserError
from mmseg_custom.utils.extras import needing

from .exported_segmenter import ExportedSegmenter, cpu_threads


class OnnxSegmenter(ExportedSegmenter):
    """Runs an ``.onnx`` file; see :class:`~mmseg_custom.apis.exported_segmenter.ExportedSegmenter`.

    Example:
        >>> OnnxSegmenter('work_dirs/demo_toy/model.onnx')('photo.jpg').area_shares
        {'Background': 0.93, 'Plastic bag': 0.07}
    """

    def _open(self, file: Path) -> Mapping[str, str]:
        with needing('onnxruntime', 'export'):
            import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cpu_threads()
        # Threads that wait would take the cores from those that read and write photos.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        # What goes wrong is raised as well; its log would stand beside our message.
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                os.fspath(file), options, providers=['CPUExecutionProvider']
            )
        except Exception as error:
            raise UserError(
                f'{file}: is damaged or no ONNX model that onnxruntime {onnxruntime.__version__} '
                'can run; copy or export it again'
            ) from error
        self.has_probabilities = self._session.get_outputs()[0].name == 'probabilities'
        return self._session.get_modelmeta().custom_metadata_map

    def _infer(self, photos: np.ndarray) -> np.ndarray:
        return self._session.run(None, dict(photo=photos))[0]
