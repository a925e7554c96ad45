"""Labels that a model gives to photos without any."""

from .confidence import ConfidenceFiles
from .labeled_parts import labeled_parts
from .leakage import drop_excluded, validation_identities
from .pseudo_set import WRITTEN, PseudoOptions, write_pseudo_set
from .thresholds import balanced_thresholds, fixed_thresholds

__all__ = [
    'WRITTEN',
    'ConfidenceFiles',
    'PseudoOptions',
    'balanced_thresholds',
    'fixed_thresholds',
    'drop_excluded',
    'validation_identities',
    'labeled_parts',
    'write_pseudo_set',
]
