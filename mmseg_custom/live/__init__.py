"""A camera over a belt: newest frames, masks that do not flicker, objects with ids, counts."""

from .belt_counter import BeltCounter
from .camera import Camera
from .latest_frames import LatestFrames, LiveFrame
from .smoothing import TemporalSmoothing

__all__ = ['BeltCounter', 'Camera', 'LatestFrames', 'LiveFrame', 'TemporalSmoothing']
