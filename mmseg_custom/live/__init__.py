"""A camera over a belt: newest frames, masks that do not flicker, objects with ids, counts."""

from .belt_counter import BeltCounter
from .latest_frames import LatestFrames
from .smoothing import TemporalSmoothing

__all__ = ['BeltCounter', 'LatestFrames', 'TemporalSmoothing']
