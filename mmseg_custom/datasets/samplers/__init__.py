"""Registered samplers (DATA_SAMPLERS)."""

from .repeat_factor_sampler import RepeatFactorSampler
from .seeded_infinite_sampler import SeededInfiniteSampler

__all__ = ['RepeatFactorSampler', 'SeededInfiniteSampler']
