"""Labeled photos in the formats of other people's tools: one reader and one writer each."""

from .archives import unpacked
from .losses import Loss, loss_of
from .model import LabeledObject, LabeledPhoto, PhotoSet
from .registry import formats, guess_format, read_set
from .shapes import simplify
from .writing import target_of, write_set

__all__ = [
    'LabeledObject',
    'LabeledPhoto',
    'Loss',
    'PhotoSet',
    'formats',
    'guess_format',
    'loss_of',
    'read_set',
    'simplify',
    'target_of',
    'unpacked',
    'write_set',
]
