"""What a Python user calls."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .onnx_segmenter import OnnxSegmenter
from .segmentation import Segmentation

if TYPE_CHECKING:
    from .segmenter import TrashSegmenter
    from .testing import test
    from .training import train

__all__ = ['OnnxSegmenter', 'Segmentation']

# Imported when they are asked for: an exported model starts without torch (seconds), also where
# nothing is installed that could train one.
NEED_TORCH = dict(TrashSegmenter='.segmenter', test='.testing', train='.training')
if find_spec('mmseg'):
    __all__ += ['TrashSegmenter', 'test', 'train']


def __getattr__(name: str) -> Any:
    if name not in NEED_TORCH or name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(NEED_TORCH[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
