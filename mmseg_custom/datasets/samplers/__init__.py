"""Registered samplers (DATA_SAMPLERS)."""

from .multi_source_sampler import MultiSourceSampler
from .repeat_factor_sampler import RepeatFactorSampler
from .seeded_infinite_sampler import SeededInfiniteSampler

__all__ = ['MultiSourceSampler', 'RepeatFactorSampler', 'SeededInfiniteSampler']
