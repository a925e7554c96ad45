"""Gaussian filtering of a photo's pixels in any feature space, in linear time, compiled by Numba.

Reference: Adams, Baek and Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice"
(Eurographics 2010), as in Krähenbühl's DenseCRF.
"""

import math
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from mmseg_custom.utils import UserError

KEY_BITS = 64
# float32 has each whole number up to here.
MOST_EXACT = 2**24
ROOM = 1 << 16
FULL = -1
# Fibonacci hashing: 2**64 over the golden ratio.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_compiled: dict[str, Any] = dict(nogil=True, cache=True, boundscheck=False)
# Inlined, the number of dimensions is a constant for the compiler: twice as fast.
_inlined: dict[str, Any] = dict(inline='always')


class PermutohedralLattice:
    """The lattice of one set of points, on which values of these points are blurred.

    Its work releases the GIL, so that several threads may use one lattice at the same time.

    Args:
        features: ``(N, D)`` float32 positions, in units of the Gaussian's standard deviation.

    Raises:
        UserError: They lie too far apart, since the standard deviation is tiny.

    Attributes:
        offsets: ``(N, D + 1)`` int32, the cells that a point's values go to and come from.
        weights: ``(N, D + 1)`` float32, how much of them; normalized so that blurring is what the
            paper on dense CRFs calls symmetric.
        total: ``(N,)`` float32, blurred ones.
    """

    def __init__(self, features: np.ndarray):
        count, dimensions = features.shape
        if count % 4:
            # The reference code works on 4 points at a time and fills up with points at 0, whose
            # cells take part in the blurring.
            features = np.vstack([features, np.zeros((1, dimensions), np.float32)])
        digits = _digits(features)
        self.offsets = np.empty((len(features), dimensions + 1), np.int32)
        self.weights = np.empty((len(features), dimensions + 1), np.float32)
        steps = np.empty(dimensions + 1, np.uint64)
        # A power of 2, for the hash table; no more than all corners of all points.
        room = min(ROOM, 1 << self.offsets.size.bit_length())
        place, used = _compile_place(dimensions), FULL
        # Compiled functions fill arrays and return none: Numba lost one now and then.
        while used == FULL:
            keys, table = np.empty(room, np.uint64), np.full(2 * room, -1, np.int32)
            used = place(features, self.offsets, self.weights, keys, table, digits, steps)
            room *= 4
        self.offsets, self.weights = self.offsets[:count], self.weights[:count]
        self._neighbours = np.empty((dimensions + 1, used, 2), np.int32)
        _find_neighbours(keys, table, steps, self._neighbours)
        # What the blurring adds up, as the reference code has it.
        self._scale = 1 / (1 + 2.0**-dimensions)
        ones = np.ones((count, 1), np.float32)
        self.weights /= np.sqrt(self.filter(ones) + np.float32(1e-20))
        self.total = self.filter(ones)[:, 0]

    @property
    def cells(self) -> int:
        """Number of rows of a grid."""
        return self._neighbours.shape[1] + 1

    def splat(self, values: np.ndarray) -> np.ndarray:
        """Return the cells, ``(cells + 1, C)`` float32, of the points' values, ``(N, C)``."""
        grid = np.zeros((self.cells, values.shape[1]), np.float32)
        _splat(values, self.offsets, self.weights, grid)
        return grid

    def blur(self, grid: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """Return blurred cells, times ``weight``.

        Args:
            grid: ``(cells + 1, C)`` float32; the last row, for cells that are not there, is 0.
            weight: Factor.
        """
        blurred = np.empty_like(grid)
        _blur(grid, self._neighbours, np.float32(weight * self._scale), blurred)
        return blurred

    def filter(self, values: np.ndarray) -> np.ndarray:
        """Blur the points' values, ``(N, C)`` float32."""
        out = np.zeros_like(values)
        _slice(self.blur(self.splat(values)), self.offsets, self.weights, out)
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
    _find_extents(features, extents)
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


@njit(**_compiled)
def _find_extents(features, extents):
    lowest, highest = features[0].copy(), features[0].copy()
    for n in range(len(features)):
        for i in range(len(extents)):
            lowest[i] = min(lowest[i], features[n, i])
            highest[i] = max(highest[i], features[n, i])
    for i in range(len(extents)):
        extents[i] = highest[i] - lowest[i]


@cache
def _compile_place(d):
    """Compile, for D dimensions, what finds each point's simplex and the number of cells, or FULL.

    A key is a cell's first D coordinates times ``digits``. What one step along an axis adds to it
    is the same everywhere.
    """

    @njit(**_compiled)
    def place(features, offsets, weights, keys, table, digits, steps):
        scale = np.empty(d, np.float32)
        for i in range(d):
            scale[i] = np.sqrt(2 / 3) * (d + 1) / np.sqrt((i + 1) * (i + 2))
        steps[:] = digits.sum() - np.uint64(d + 1) * digits
        elevated = np.empty(d + 1, np.float32)
        origin = np.empty(d + 1, np.int32)
        rank = np.empty(d + 1, np.int32)
        axis_of = np.empty(d + 1, np.int32)
        corner = np.empty(d + 2, np.float32)
        used = 0
        for n in range(len(features)):
            _elevate(features, n, scale, elevated, d)
            _round_to_simplex(elevated, origin, rank, d + 1)
            _barycentric(elevated, origin, rank, corner, d + 1)
            key = np.uint64(0)
            for i in range(d + 1):
                axis_of[rank[i]] = i
                key += np.uint64(origin[i]) * digits[i]
            for c in range(d + 1):
                slot = _slot(keys, table, key)
                if table[slot] < 0:
                    if used == len(keys):
                        return FULL
                    keys[used] = key
                    table[slot] = used
                    used += 1
                offsets[n, c] = table[slot]
                weights[n, c] = corner[c]
                # From one corner to the next, the axis whose turn it is goes back.
                key += steps[axis_of[d - c]]
        return used

    return place


@njit(**_inlined)
def _elevate(features, n, scale, elevated, d):
    """Put a point onto the hyperplane whose coordinates sum to 0 (page 5 of the paper)."""
    total = np.float32(0)
    for j in range(d, 0, -1):
        value = features[n, j - 1] * scale[j - 1]
        elevated[j] = total - j * value
        total += value
    elevated[0] = total


@njit(**_inlined)
def _round_to_simplex(elevated, origin, rank, size):
    """Find the nearest lattice point of remainder 0 and the order of the differences to it."""
    inverse = np.float32(1) / np.float32(size)
    total = np.int32(0)
    for i in range(size):
        nearest = np.int32(np.rint(elevated[i] * inverse))
        origin[i] = nearest * size
        total += nearest
        rank[i] = 0
    for i in range(size - 1):
        difference = elevated[i] - np.float32(origin[i])
        for j in range(i + 1, size):
            # Without a branch: nobody could predict it.
            less = np.int32(difference < elevated[j] - np.float32(origin[j]))
            rank[i] += less
            rank[j] += np.int32(1) - less
    for i in range(size):
        rank[i] += total
        if rank[i] < 0:
            rank[i] += size
            origin[i] += size
        elif rank[i] >= size:
            rank[i] -= size
            origin[i] -= size


@njit(**_inlined)
def _barycentric(elevated, origin, rank, corner, size):
    inverse = np.float32(1) / np.float32(size)
    corner[:] = 0
    for i in range(size):
        value = (elevated[i] - np.float32(origin[i])) * inverse
        corner[size - 1 - rank[i]] += value
        corner[size - rank[i]] -= value
    corner[0] += np.float32(1) + corner[size]


@njit(**_compiled)
def _slot(keys, table, key):
    """Return where ``key`` is in the hash table, or the free slot where it belongs."""
    mask = len(table) - 1
    slot = np.int64((key * GOLDEN) >> np.uint64(32)) & mask
    while table[slot] >= 0 and keys[table[slot]] != key:
        slot = (slot + 1) & mask
    return slot


@njit(**_compiled)
def _find_neighbours(keys, table, steps, neighbours):
    """Write the numbers of both neighbours along each axis; one that is missing is the last."""
    axes, count, _ = neighbours.shape
    for axis in range(axes):
        for n in range(count):
            before = table[_slot(keys, table, keys[n] - steps[axis])]
            after = table[_slot(keys, table, keys[n] + steps[axis])]
            neighbours[axis, n, 0] = count if before < 0 else before
            neighbours[axis, n, 1] = count if after < 0 else after


@njit(**_compiled)
def _splat(values, offsets, weights, grid):
    for n in range(len(values)):
        for corner in range(offsets.shape[1]):
            cell, weight = offsets[n, corner], weights[n, corner]
            for c in range(values.shape[1]):
                grid[cell, c] += weight * values[n, c]


@njit(**_compiled)
def _blur(grid, neighbours, scale, blurred):
    axes, count, _ = neighbours.shape
    source, target = grid.copy(), np.zeros_like(grid)
    for axis in range(axes):
        for cell in range(count):
            before, after = neighbours[axis, cell]
            for c in range(grid.shape[1]):
                both = source[before, c] + source[after, c]
                target[cell, c] = source[cell, c] + np.float32(0.5) * both
        source, target = target, source
    blurred[:] = scale * source


@njit(**_compiled)
def _slice(grid, offsets, weights, out):
    for n in range(len(out)):
        for corner in range(offsets.shape[1]):
            cell, weight = offsets[n, corner], weights[n, corner]
            for c in range(out.shape[1]):
                out[n, c] += weight * grid[cell, c]
