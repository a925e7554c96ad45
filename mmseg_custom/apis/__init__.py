"""What a Python user calls."""

from mmseg_custom import plugins  # noqa: F401, I001  (registers what configs name)

from .segmentation import Segmentation
from .segmenter import TrashSegmenter
from .test import test
from .train import train

__all__ = ['Segmentation', 'TrashSegmenter', 'test', 'train']
