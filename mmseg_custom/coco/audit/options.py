"""Where the audit draws its lines."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AuditOptions:
    """Limits; the defaults leave 50 contest photos, the toy set and TACO in peace.

    Attributes:
        max_overlap: Two annotations of different classes whose IoU is above this contradict each
            other. What is drawn on something larger, such as a lid on a cup, reaches 0.8 in TACO.
        max_share: An annotation that covers more than this part of its photo is suspicious.
        min_pixels: An annotation that covers fewer pixels is a speck.
        hash_distance: Photos whose difference hashes differ in at most so many of 64 bits look
            the same.
        photos: Whether photos and mask files are read.
    """

    max_overlap: float = 0.9
    max_share: float = 0.95
    min_pixels: int = 10
    hash_distance: int = 2
    photos: bool = True
