"""What a Python user calls."""

from importlib.util import find_spec

from .onnx_segmenter import OnnxSegmenter
from .segmentation import Segmentation

__all__ = ['OnnxSegmenter', 'Segmentation']

# An exported model is also used where nothing is installed that could train one.
if find_spec('mmseg'):
    from mmseg_custom import plugins  # noqa: F401, I001  (registers what configs name)

    from .segmenter import TrashSegmenter
    from .test import test
    from .train import train

    __all__ += ['TrashSegmenter', 'test', 'train']
