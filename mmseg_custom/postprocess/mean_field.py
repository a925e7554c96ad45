"""Mean-field inference for one photo, compiled by Numba.

Gives the marginals of the update that evaluates every pixel in every step, up to :data:`SKIPPED`
per step, without evaluating most pixels: a pixel's marginals can only change as far as its messages
do. With ``rest`` the probability of all classes but the most probable one, and messages that have
changed by a spread of at most ``s`` (largest minus smallest change over the classes), each marginal
has changed by at most ``rest * (exp(s) - 1)``. The spread is summed over the steps for each lattice
cell, and a pixel is skipped while this bound is below :data:`SKIPPED`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from .permutohedral import PermutohedralLattice

# Lowest probability, as pydensecrf's `unary_from_softmax` has it.
SMALLEST = np.float32(1e-5)
# A pixel is not evaluated while no marginal of it can have changed by more than this.
SKIPPED = np.float32(1e-5)
# A change that is not passed on: float32 rounding.
ROUNDING = np.float32(1e-7)
# Classes that are left out have, in every step and pixel, at most this probability together.
LEFT_OUT = 1e-3
# exp() is taken to be 0 below this, so that nothing is a denormal number.
LOWEST = np.float32(-60)
FAINTEST = np.float32(1e-24)
# Rows are padded to a multiple of this many classes, so that all of a row is vectorized.
LANES = 4
# Pixels that are evaluated together: few enough for the cache.
BLOCK = 64
_ARITHMETIC = {'contract', 'nnan', 'ninf', 'nsz'}
_compiled: dict[str, Any] = dict(nogil=True, cache=True, boundscheck=False, error_model='numpy')
_fast: dict[str, Any] = dict(_compiled, fastmath=_ARITHMETIC)
# Sums over the classes may be reordered, which exp() must not be.
_reordered: dict[str, Any] = dict(_compiled, fastmath=_ARITHMETIC | {'reassoc'})


class MeanField:
    """The marginals of the classes at each pixel of one photo.

    Nothing here checks its input: compiled code would read past the end of an array.
    :class:`~mmseg_custom.postprocess.DenseCrf` does.

    Args:
        probabilities: ``(C, N)`` float32 of N pixels, finite, 0..1.
        kernels: Pairs of weight (above 0) and lattice, of 2 or 5 dimensions, of the N
            pixels; without any, nothing changes.

    Attributes:
        kept: ``(K,)`` int64, the classes that are not left out, at least one.
    """

    def __init__(
        self, probabilities: np.ndarray, kernels: Sequence[tuple[float, PermutohedralLattice]]
    ):
        classes, count = probabilities.shape
        peaks = np.zeros(classes, np.float32)
        _find_peaks(probabilities, peaks)
        strength = sum(weight * float(lattice.total.max()) for weight, lattice in kernels)
        self.kept = _classes_that_matter(peaks, strength)
        width = -(-len(self.kept) // LANES) * LANES
        self._priors = np.zeros((count, width), np.float32)
        _write_priors(probabilities, self.kept, self._priors)
        self._marginals = self._priors.copy()
        self._kernels = kernels
        # One grid for all kernels: the cells of the second follow those of the first.
        ends = np.cumsum([0, *(lattice.cells for _, lattice in kernels)])
        self._parts = [
            slice(end - lattice.cells, end)
            for (_, lattice), end in zip(kernels, ends[1:], strict=True)
        ]
        self._offsets, self._weights = self._join()
        # Messages are sent as changes, each step into an empty grid: small changes added to a
        # large sum would be lost to rounding.
        self._changes = np.zeros((ends[-1], width), np.float32)
        _splat(self._marginals, self._offsets, self._weights, self._changes)
        self._blurred = np.zeros_like(self._changes)
        self._drift = np.zeros(len(self._changes), np.float32)
        self._limits = np.full(count, -1, np.float32)

    def _join(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the offsets and weights of all kernels side by side."""
        lattices = [lattice for _, lattice in self._kernels]
        shape = len(self._priors), sum(lattice.offsets.shape[1] for lattice in lattices)
        offsets, weights = np.empty(shape, np.int32), np.empty(shape, np.float32)
        corner = 0
        for lattice, part in zip(lattices, self._parts, strict=True):
            _place(lattice.offsets, lattice.weights, part.start, corner, offsets, weights)
            corner += lattice.offsets.shape[1]
        return offsets, weights

    def step(self) -> int:
        """Update the marginals once.

        Returns:
            int: Number of pixels that changed; after 0, no further step changes anything.
        """
        for (weight, lattice), part in zip(self._kernels, self._parts, strict=True):
            changes = lattice.blur(self._changes[part], weight)
            _add(changes, self._blurred[part], self._drift[part])
        self._changes[:] = 0
        return _sweep(
            self._priors,
            self._marginals,
            self._limits,
            self._offsets,
            self._weights,
            self._blurred,
            self._drift,
            self._changes,
        )

    def write_marginals(self, out: np.ndarray) -> None:
        """Write the marginals of the classes :attr:`kept` into their rows of ``out``.

        Args:
            out: ``(C, N)`` float32.
        """
        _write_marginals(self._marginals, self.kept, out)


def _classes_that_matter(peaks: np.ndarray, strength: float) -> np.ndarray:
    """Leave out classes that are improbable everywhere and provably stay so.

    A marginal is at most ``prior * exp(message)``, since no message is negative, and a message is
    at most ``strength`` times the largest marginal of its class. So ``x`` with
    ``peak * exp(strength * x) <= x`` bounds the marginals of all steps; ``x = e * peak`` is one
    where ``e * strength * peak <= 1``.
    """
    bounds = np.e * peaks.astype(np.float64)
    order = np.argsort(bounds)
    droppable = (np.cumsum(bounds[order]) <= LEFT_OUT) & (strength * bounds[order] <= 1)
    droppable[-1] = False
    return np.sort(order[~droppable])


@njit(**_fast)
def _find_peaks(probabilities, peaks):
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


@njit(**_fast)
def _write_priors(probabilities, kept, priors):
    for n in range(len(priors)):
        total = np.float32(0)
        for c in range(len(kept)):
            priors[n, c] = max(probabilities[kept[c], n], SMALLEST)
            total += priors[n, c]
        for c in range(len(kept)):
            priors[n, c] /= total


@njit(**_fast)
def _write_marginals(marginals, kept, out):
    for start in range(0, len(marginals), BLOCK):
        for c in range(len(kept)):
            for n in range(start, min(start + BLOCK, len(marginals))):
                out[kept[c], n] = marginals[n, c]


@njit(**_fast)
def _add(changes, blurred, drift):
    """Add the changes, and to each cell's drift how far they differ between the classes."""
    for cell in range(len(blurred)):
        lowest, highest = changes[cell, 0], changes[cell, 0]
        for c in range(blurred.shape[1]):
            lowest, highest = min(lowest, changes[cell, c]), max(highest, changes[cell, c])
            blurred[cell, c] += changes[cell, c]
        drift[cell] += highest - lowest


@njit(**_fast)
def _place(offsets, weights, first_cell, first_corner, all_offsets, all_weights):
    for n in range(len(offsets)):
        for corner in range(offsets.shape[1]):
            all_offsets[n, first_corner + corner] = offsets[n, corner] + first_cell
            all_weights[n, first_corner + corner] = weights[n, corner]


@njit(**_fast)
def _splat(values, offsets, weights, grid):
    for n in range(len(values)):
        _send(values, n, n, offsets, weights, grid)


@njit(**_fast)
def _sweep(priors, marginals, limits, offsets, weights, blurred, drift, changes):
    """Evaluate the pixels whose drift is above their limit; return how many changed."""
    rows = np.empty((BLOCK, priors.shape[1]), np.float32)
    which, drifts = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.float32)
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


@njit(**_fast)
def _receive(rows, b, n, offsets, weights, blurred):
    for c in range(rows.shape[1]):
        rows[b, c] = 0
    # By threes (3 corners in 2 dimensions, 6 in 5), since entering a short loop takes time.
    for k in range(0, offsets.shape[1], 3):
        first, second, third = offsets[n, k], offsets[n, k + 1], offsets[n, k + 2]
        x, y, z = weights[n, k], weights[n, k + 1], weights[n, k + 2]
        for c in range(rows.shape[1]):
            rows[b, c] += x * blurred[first, c] + y * blurred[second, c] + z * blurred[third, c]


@njit(**_fast)
def _send(rows, b, n, offsets, weights, changes):
    for k in range(0, offsets.shape[1], 3):
        first, second, third = offsets[n, k], offsets[n, k + 1], offsets[n, k + 2]
        x, y, z = weights[n, k], weights[n, k + 1], weights[n, k + 2]
        for c in range(rows.shape[1]):
            changes[first, c] += x * rows[b, c]
            changes[second, c] += y * rows[b, c]
            changes[third, c] += z * rows[b, c]


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
