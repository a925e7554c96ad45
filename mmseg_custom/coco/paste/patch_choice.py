"""Choosing what is pasted: all chosen classes alike, however rare."""

from collections.abc import Collection, Sequence

import numpy as np


class PatchChoice:
    """Draws photos and objects so that each of some classes comes up equally often.

    Args:
        classes_of: Labels of the objects in each photo.
        labels: Labels that may be pasted, in the order in which they are drawn from; those that no
            photo holds are left out.
    """

    def __init__(self, classes_of: Sequence[Collection[int]], labels: Sequence[int]):
        holders = {
            label: np.array([row for row, held in enumerate(classes_of) if label in held], np.int64)
            for label in labels
        }
        self.holders = {label: rows for label, rows in holders.items() if len(rows)}

    @property
    def labels(self) -> list[int]:
        """The labels that can be drawn; empty when no photo holds any."""
        return list(self.holders)

    def photo(self, rng: np.random.Generator) -> int:
        """Draw a class, then a photo that holds it, each with the same probability."""
        rows = self.holders[self.labels[rng.integers(len(self.labels))]]
        return int(rows[rng.integers(len(rows))])

    def objects(self, labels: Sequence[int], most: int, rng: np.random.Generator) -> list[int]:
        """Draw objects of one photo, those of rarer classes more likely.

        Args:
            labels: Label of each object in the photo.
            most: How many may be drawn; at least one is, when there is any.
            rng: Source of the randomness.

        Returns:
            list[int]: Places in ``labels``, none twice.
        """
        places = [place for place, label in enumerate(labels) if label in self.holders]
        if not places:
            return []
        rarity = np.array([1 / len(self.holders[labels[place]]) for place in places])
        count = min(int(rng.integers(1, most + 1)), len(places))
        drawn = rng.choice(len(places), count, replace=False, p=rarity / rarity.sum())
        return [places[number] for number in drawn]
