"""Gaussian filtering of a photo's pixels in any feature space, in linear time, compiled by Numba.

Reference: Adams, Baek and Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice"
(Eurographics 2010), as in Krähenbühl's DenseCRF.
"""

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np

from mmseg_custom.utils import UserError

from .permutohedral_loops import (
    FULL,
    add_blurred,
    compile_place,
    find_extents,
    find_neighbors,
    normalize,
    slice_grid,
    splat,
)

KEY_BITS = 64
# float32 has each whole number up to here.
MOST_EXACT = 2**24
SLOTS = 1 << 16


class PermutohedralLattice:
    """The lattice of one set of points, on which values of these points are blurred.

    Its work releases the GIL, so that several threads may use one lattice at the same time.

    Args:
        features: ``(N, D)`` float32 positions, in units of the Gaussian's standard deviation.
        room: Columns that are left free behind the corners, for those of other lattices.
        empty: Makes the arrays of the corners; ``np.empty``, or that of work arrays.

    Raises:
        UserError: They lie too far apart, since the standard deviation is tiny.

    Attributes:
        offsets: ``(N, D + 1)`` uint32, the cells that a point's values go to and come from.
        weights: ``(N, D + 1)`` float32, how much of them; normalized so that blurring is what the
            paper on dense CRFs calls symmetric.
        roomy_offsets: ``(N, D + 1 + room)`` uint32, the array that ``offsets`` is a part of.
        roomy_weights: ``(N, D + 1 + room)`` float32, likewise.
    """

    def __init__(self, features: np.ndarray, room: int = 0, empty: Callable = np.empty):
        count, dimensions = features.shape
        if count % 4:
            # The reference code works on 4 points at a time and fills up with points at 0, whose
            # cells take part in the blurring.
            features = np.vstack([features, np.zeros((1, dimensions), np.float32)])
        digits = _digits(features)
        corners = dimensions + 1
        # Unsigned, here and below: for a signed index, Numba checks whether it counts from the end.
        offsets = empty((len(features), corners + room), np.uint32)
        weights = empty((len(features), corners + room), np.float32)
        steps = np.empty(corners, np.uint64)
        # A power of 2, for the hash table; no more than all corners of all points.
        slots = min(SLOTS, 1 << (len(features) * corners).bit_length())
        place, used = compile_place(dimensions), FULL
        # Compiled functions fill arrays and return none: Numba lost one now and then.
        while used == FULL:
            keys, table = np.empty(slots, np.uint64), np.full(2 * slots, -1, np.int32)
            used = place(features, offsets, weights, keys, table, digits, steps)
            slots *= 4
        self.roomy_offsets, self.roomy_weights = offsets[:count], weights[:count]
        self.offsets, self.weights = offsets[:count, :corners], weights[:count, :corners]
        self._neighbors = np.empty((corners, used, 2), np.uint32)
        find_neighbors(keys, table, steps, self._neighbors)
        # What the blurring adds up, as the reference code has it.
        self._scale = 1 / (1 + 2.0**-dimensions)
        ones = np.ones((count, 1), np.float32)
        normalize(self._blur(self.splat(ones)), self.offsets, self.weights)

    @cached_property
    def strength(self) -> float:
        """Largest value of blurred ones, which bounds those of all values between 0 and 1."""
        return float(self.filter(np.ones((len(self.offsets), 1), np.float32)).max())

    @property
    def cells(self) -> int:
        """Number of rows of a grid."""
        return self._neighbors.shape[1] + 1

    def splat(self, values: np.ndarray) -> np.ndarray:
        """Return the cells, ``(cells, C)`` float32, of the points' values, ``(N, C)``."""
        grid = np.zeros((self.cells, values.shape[1]), np.float32)
        splat(values, self.offsets, self.weights, grid)
        return grid

    def add_blurred(
        self,
        grid: np.ndarray,
        spare: np.ndarray,
        weight: float,
        total: np.ndarray,
        drift: np.ndarray,
    ) -> None:
        """Blur cells and add them, times ``weight``, to the total.

        Args:
            grid: ``(cells, C)`` float32; the last row, for cells that are not there, is 0. What is
                in it afterwards means nothing.
            spare: ``(cells, C)`` float32, room to work in.
            weight: Factor.
            total: ``(cells, C)`` float32.
            drift: ``(cells,)`` float32; gets, in addition, the largest minus the smallest of what
                was added to each cell.
        """
        spare[-1] = 0
        factor = np.float32(weight * self._scale)
        add_blurred(grid, spare, self._neighbors, factor, total, drift)

    def _blur(self, grid: np.ndarray) -> np.ndarray:
        blurred = np.zeros_like(grid)
        self.add_blurred(grid, np.empty_like(grid), 1, blurred, np.zeros(len(grid), np.float32))
        return blurred

    def filter(self, values: np.ndarray) -> np.ndarray:
        """Blur the points' values, ``(N, C)`` float32."""
        out = np.zeros_like(values)
        slice_grid(self._blur(self.splat(values)), self.offsets, self.weights, out)
        return out


def _digits(features: np.ndarray) -> np.ndarray:
    """Return what each coordinate of a cell is multiplied by, so that every cell has its own key.

    Returns:
        np.ndarray: ``(D + 1,)`` uint64; the last is 0, as the coordinates sum to 0.

    Raises:
        UserError: The cells have no keys of 64 bits.
    """
    d = features.shape[1]
    extents = np.zeros(d)
    find_extents(features, extents)
    axes = np.arange(1, d + 1)
    scaled = extents * np.sqrt(2 / 3) * (d + 1) / np.sqrt(axes * (axes + 1))
    # How far the points reach along a coordinate: see _elevate. Their corners, and the neighbors of
    # these, are less than 4 * (d + 1) away on either side.
    spans = [float(i * scaled[i - 1] * (i > 0) + scaled[i:].sum() + 8 * (d + 1)) for i in range(d)]
    if not (max(spans) < MOST_EXACT and math.prod(spans) < 2**KEY_BITS):
        raise UserError(
            f'DenseCRF: a kernel is {extents.max():.0f} times narrower than what it filters; '
            'choose larger standard deviations'
        )
    digits = [math.prod(math.ceil(span) for span in spans[:i]) for i in range(d)]
    return np.array([*digits, 0], np.uint64)
