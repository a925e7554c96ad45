"""The compiled loops of :mod:`.mean_field`; they check nothing."""

from typing import Any

import numpy as np
from numba import njit

# Lowest probability, as pydensecrf's `unary_from_softmax` has it.
SMALLEST = np.float32(1e-5)
# A pixel is not evaluated while no marginal of it can have changed by more than this.
SKIPPED = np.float32(1e-5)
# A change that is not passed on: float32 rounding.
ROUNDING = np.float32(1e-7)
# exp() is taken to be 0 below this, so that nothing is a denormal number.
LOWEST = np.float32(-60)
FAINTEST = np.float32(1e-24)
# Pixels that are evaluated together: few enough for the cache.
BLOCK = 64
_ARITHMETIC = {'contract', 'nnan', 'ninf', 'nsz'}
_compiled: dict[str, Any] = dict(nogil=True, cache=True, boundscheck=False, error_model='numpy')
_fast: dict[str, Any] = dict(_compiled, fastmath=_ARITHMETIC)
# Sums over the classes may be reordered, which exp() must not be.
_reordered: dict[str, Any] = dict(_compiled, fastmath=_ARITHMETIC | {'reassoc'})
# As a call, it takes half as long again.
_inlined: dict[str, Any] = dict(inline='always')


@njit(**_fast)
def find_peaks(probabilities, peaks):
    """Write the largest normalized probability of each class."""
    classes, count = probabilities.shape
    sums = np.empty(BLOCK, np.float32)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        sums[:] = 0
        for c in range(classes):
            for n in range(size):
                sums[n] += max(probabilities[c, start + n], SMALLEST)
        for c in range(classes):
            for n in range(size):
                prior = max(probabilities[c, start + n], SMALLEST) / sums[n]
                peaks[c] = max(peaks[c], prior)


@njit(**_inlined)
def _send(rows, b, n, offsets, weights, changes):
    for k in range(0, offsets.shape[1], 3):
        first, second, third = offsets[n, k], offsets[n, k + 1], offsets[n, k + 2]
        x, y, z = weights[n, k], weights[n, k + 1], weights[n, k + 2]
        for c in range(rows.shape[1]):
            changes[first, c] += x * rows[b, c]
            changes[second, c] += y * rows[b, c]
            changes[third, c] += z * rows[b, c]


@njit(**_fast)
def begin(probabilities, kept, offsets, weights, priors, marginals, grid):
    """Write the priors, as marginals too, and send them to the cells."""
    sums = np.empty(BLOCK, np.float32)
    for start in range(0, len(priors), BLOCK):
        size = min(BLOCK, len(priors) - start)
        sums[:] = 0
        for c in kept:
            for n in range(size):
                sums[n] += max(probabilities[c, start + n], SMALLEST)
        for k in range(len(kept)):
            for n in range(size):
                value = max(probabilities[kept[k], start + n], SMALLEST)
                priors[start + n, k] = value / sums[n]
        for n in range(start, start + size):
            for k in range(len(kept), priors.shape[1]):
                priors[n, k] = 0
            for k in range(priors.shape[1]):
                marginals[n, k] = priors[n, k]
            _send(priors, n, n, offsets, weights, grid)


@njit(**_fast)
def write_marginals(marginals, kept, out):
    for start in range(0, len(marginals), BLOCK):
        for c in range(len(kept)):
            for n in range(start, min(start + BLOCK, len(marginals))):
                out[kept[c], n] = marginals[n, c]


@njit(**_fast)
def join(offsets, weights, first_cell, first_corner, all_offsets, all_weights):
    for n in range(len(offsets)):
        for corner in range(offsets.shape[1]):
            all_offsets[n, first_corner + corner] = offsets[n, corner] + first_cell
            all_weights[n, first_corner + corner] = weights[n, corner]


@njit(**_fast)
def sweep(priors, marginals, limits, offsets, weights, blurred, drift, changes):
    """Evaluate the pixels whose drift is above their limit; return how many changed."""
    rows = np.empty((BLOCK, priors.shape[1]), np.float32)
    which, drifts = np.empty(BLOCK, np.uintp), np.empty(BLOCK, np.float32)
    moved = np.empty(BLOCK, np.float32)
    filled = changed = 0
    for n in range(len(priors)):
        total = np.float32(0)
        for corner in range(offsets.shape[1]):
            total += weights[n, corner] * drift[offsets[n, corner]]
        if total > limits[n]:
            which[filled], drifts[filled] = n, total
            _receive(rows, filled, n, offsets, weights, blurred)
            filled += 1
        if filled == BLOCK or n == len(priors) - 1:
            _update(rows[:filled], which, drifts, priors, marginals, limits, moved)
            for b in range(filled):
                if moved[b] > ROUNDING:
                    _send(rows, b, which[b], offsets, weights, changes)
                    changed += 1
            filled = 0
    return changed


@njit(**_inlined)
def _receive(rows, b, n, offsets, weights, blurred):
    for c in range(rows.shape[1]):
        rows[b, c] = 0
    # By threes (3 corners in 2 dimensions, 6 in 5), since entering a short loop takes time.
    for k in range(0, offsets.shape[1], 3):
        first, second, third = offsets[n, k], offsets[n, k + 1], offsets[n, k + 2]
        x, y, z = weights[n, k], weights[n, k + 1], weights[n, k + 2]
        for c in range(rows.shape[1]):
            rows[b, c] += x * blurred[first, c] + y * blurred[second, c] + z * blurred[third, c]


@njit(**_reordered)
def _update(rows, which, drifts, priors, marginals, limits, moved):
    """Turn messages into marginals, write these, and leave their changes in the rows."""
    width = rows.shape[1]
    for b in range(len(rows)):
        highest = rows[b, 0]
        for c in range(1, width):
            highest = max(highest, rows[b, c])
        for c in range(width):
            rows[b, c] = max(rows[b, c] - highest, LOWEST)
    flat = rows.reshape(-1)
    for j in range(len(flat)):
        flat[j] = _exp(flat[j])
    for b in range(len(rows)):
        n = which[b]
        total, best, rest = np.float32(0), np.float32(0), np.float32(0)
        for c in range(width):
            rows[b, c] *= priors[n, c]
            total += rows[b, c]
            best = max(best, rows[b, c])
        for c in range(width):
            # Not total - best, which is mostly rounding error where the others matter least.
            rest += rows[b, c] if rows[b, c] < best else np.float32(0)
        scale, largest = np.float32(1) / total, np.float32(0)
        limits[n] = drifts[b] + _log(np.float32(1) + SKIPPED / (rest * scale + FAINTEST))
        for c in range(width):
            change = rows[b, c] * scale - marginals[n, c]
            marginals[n, c] += change
            rows[b, c] = change
            largest = max(largest, abs(change))
        moved[b] = largest


@njit(**_fast)
def _log(x):
    """Return a lower bound of log(x), less than 0.06 below, from the bits of x >= 1."""
    bits = np.float32(x).view(np.int32) - np.int32(0x3F800000)
    return np.float32(bits) * np.float32(np.log(2) / 2**23)


@njit(**_fast)
def _exp(x):
    """Return exp(x) of LOWEST <= x <= 0 in simple arithmetic, which is vectorized, unlike np.exp.

    The polynomial and the two halves of log(2) are those of Cephes.
    """
    whole = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    x = x - whole * np.float32(0.693359375)
    x = x + whole * np.float32(2.12194440e-4)
    value = np.float32(1.9875691500e-4)
    value = value * x + np.float32(1.3981999507e-3)
    value = value * x + np.float32(8.3334519073e-3)
    value = value * x + np.float32(4.1665795894e-2)
    value = value * x + np.float32(1.6666665459e-1)
    value = value * x + np.float32(5.0000001201e-1)
    value = value * x * x + x + np.float32(1)
    exponent = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23))
    return value * exponent.view(np.float32)
