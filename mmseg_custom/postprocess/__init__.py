"""What is done with probabilities: plain functions, no registry."""

from .dense_crf import DenseCrf
from .keep_components import keep_components
from .voting import hard_vote, soft_vote

__all__ = ['DenseCrf', 'hard_vote', 'keep_components', 'soft_vote']
