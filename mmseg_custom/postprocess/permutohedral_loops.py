"""The compiled loops of :mod:`.permutohedral`; they check nothing."""

from functools import cache
from typing import Any

import numpy as np
from numba import njit

FULL = -1
# Fibonacci hashing: 2**64 over the golden ratio.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_compiled: dict[str, Any] = dict(nogil=True, cache=True, boundscheck=False)
_fast: dict[str, Any] = dict(_compiled, fastmath={'contract', 'nnan', 'ninf', 'nsz'})
# Inlined, the number of dimensions is a constant for the compiler: twice as fast.
_inlined: dict[str, Any] = dict(inline='always')


@njit(**_compiled)
def find_extents(features, extents):
    lowest, highest = features[0].copy(), features[0].copy()
    for n in range(len(features)):
        for i in range(len(extents)):
            lowest[i] = min(lowest[i], features[n, i])
            highest[i] = max(highest[i], features[n, i])
    for i in range(len(extents)):
        extents[i] = highest[i] - lowest[i]


@cache
def compile_place(d):
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
def find_neighbors(keys, table, steps, neighbors):
    """Write the numbers of both neighbors along each axis; one that is missing is the last."""
    axes, count, _ = neighbors.shape
    neighbors[:] = count
    for axis in range(axes):
        for n in range(count):
            after = table[_slot(keys, table, keys[n] + steps[axis])]
            if after >= 0:
                neighbors[axis, n, 1] = after
                neighbors[axis, after, 0] = n


@njit(**_compiled)
def splat(values, offsets, weights, grid):
    for n in range(len(values)):
        for corner in range(offsets.shape[1]):
            cell, weight = offsets[n, corner], weights[n, corner]
            for c in range(values.shape[1]):
                grid[cell, c] += weight * values[n, c]


@njit(**_compiled)
def normalize(blurred, offsets, weights):
    """Divide the weights by the square root of the points' blurred ones."""
    for n in range(len(weights)):
        value = np.float32(1e-20)
        for corner in range(weights.shape[1]):
            value += weights[n, corner] * blurred[offsets[n, corner], 0]
        scale = np.float32(1) / np.sqrt(value)
        for corner in range(weights.shape[1]):
            weights[n, corner] *= scale


@njit(**_fast)
def add_blurred(grid, spare, neighbors, scale, total, drift):
    """Add the blurred cells to the total, and to each cell's drift their largest difference.

    Works in ``grid`` and ``spare``, whose last rows are 0.
    """
    axes, count, _ = neighbors.shape
    for axis in range(axes - 1):
        for cell in range(count):
            before, after = neighbors[axis, cell]
            for c in range(grid.shape[1]):
                both = grid[before, c] + grid[after, c]
                spare[cell, c] = grid[cell, c] + np.float32(0.5) * both
        grid, spare = spare, grid
    row = np.empty(grid.shape[1], np.float32)
    for cell in range(count):
        before, after = neighbors[axes - 1, cell]
        for c in range(len(row)):
            both = grid[before, c] + grid[after, c]
            row[c] = scale * (grid[cell, c] + np.float32(0.5) * both)
        lowest, highest = row[0], row[0]
        for c in range(len(row)):
            lowest, highest = min(lowest, row[c]), max(highest, row[c])
            total[cell, c] += row[c]
        drift[cell] += highest - lowest


@njit(**_compiled)
def slice_grid(grid, offsets, weights, out):
    for n in range(len(out)):
        for corner in range(offsets.shape[1]):
            cell, weight = offsets[n, corner], weights[n, corner]
            for c in range(out.shape[1]):
                out[n, c] += weight * grid[cell, c]
