"""One photo's mean-field steps, compiled by Numba."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from .permutohedral import PermutohedralLattice

SMALLEST = np.float32(1e-5)
# A class this far behind (natural logarithm) counts as 0: exp is what takes the time.
FAR_BEHIND = np.float32(-12)
# A pixel with less than this left for all other classes is settled, and is looked at again only in
# every so many-th step.
SETTLED = np.float32(1e-4)
PERIOD = 5
# A class below this in every pixel can win nowhere any more.
NEGLIGIBLE = 0.01
# Mean square of a pixel's change that the others need not hear of.
UNHEARD = np.float32(1e-8)
_compiled: dict[str, Any] = dict(nogil=True, cache=True, boundscheck=False)
# Makes the number of channels a constant for the compiler there, too.
_inlined: dict[str, Any] = dict(inline='always')


class MeanField:
    """The marginals of the classes of one photo.

    Those of the last class are what the others leave, and are not stored.

    Args:
        probabilities: ``(C, N)`` float32 of N pixels.
        kernels: Two pairs of weight and lattice.

    Attributes:
        kept: The classes that are left, at least one.
    """

    def __init__(
        self, probabilities: np.ndarray, kernels: Sequence[tuple[float, PermutohedralLattice]]
    ):
        kept = np.flatnonzero(probabilities.max(axis=1) >= NEGLIGIBLE)
        # The commonest class last: it takes what the dropped ones leave.
        self.kept = kept[np.argsort(probabilities[kept].sum(axis=1))]
        chosen = np.maximum(probabilities[self.kept], SMALLEST)
        self._scores = np.ascontiguousarray(np.log(chosen).T)
        self._marginals = np.ascontiguousarray((chosen / chosen.sum(axis=0))[:-1].T)
        self._kernels = kernels
        self._total = sum(np.float32(weight) * lattice.total for weight, lattice in kernels)
        self._grids = [lattice.splat(self._marginals) for _, lattice in kernels]
        self._all = self._open = np.arange(probabilities.shape[1], dtype=np.int32)
        self._steps = 0

    def step(self) -> float:
        """Let the pixels hear the others once, and now and then drop classes without any hold.

        Returns:
            float: Mean square of the marginals' change.
        """
        whole = self._steps % PERIOD == 0
        self._steps += 1
        channels = self._marginals.shape[1]
        which = self._all if whole else self._open
        still_open, largest = np.empty_like(which), np.zeros(channels + 1, np.float32)
        change = np.zeros(1)
        kernels = [
            array
            for (weight, lattice), grid in zip(self._kernels, self._grids, strict=True)
            for array in (lattice.offsets, lattice.weights, lattice.blur(grid, weight), grid)
        ]
        state = (self._scores, self._total, self._marginals)
        opened = _compile_sweep(channels)(which, *state, *kernels, still_open, largest, change)
        self._open = still_open[:opened]
        if whole and largest.min() < NEGLIGIBLE:
            self._drop(largest >= NEGLIGIBLE)
        return change[0] / len(self._all)

    def _drop(self, stays: np.ndarray) -> None:
        columns = np.flatnonzero(stays)
        self.kept, self._scores = self.kept[stays], _chosen(self._scores, columns)
        self._marginals = _chosen(self._marginals, columns[:-1])
        self._grids = [_chosen(grid, columns[:-1]) for grid in self._grids]

    def write_marginals(self, out: np.ndarray) -> None:
        """Write the marginals of the classes :attr:`kept` into their rows of ``out``.

        Args:
            out: ``(C, N)`` float32.
        """
        _write_marginals(self._marginals, self.kept, out)


def _chosen(values, columns):
    """Return some columns, which NumPy takes far longer for."""
    chosen = np.empty((len(values), len(columns)), values.dtype)
    _choose(values, columns, chosen)
    return chosen


@njit(**_compiled)
def _choose(values, columns, chosen):
    for n in range(len(values)):
        for c in range(len(columns)):
            chosen[n, c] = values[n, columns[c]]


@njit(**_compiled)
def _write_marginals(marginals, kept, out):
    channels = marginals.shape[1]
    for n in range(len(marginals)):
        rest = np.float32(1)
        for c in range(channels):
            out[kept[c], n] = marginals[n, c]
            rest -= marginals[n, c]
        out[kept[channels], n] = rest


@cache
def _compile_sweep(channels):
    """Compile one sweep over some pixels for a fixed number of classes beside the last.

    ``blurred`` is what the pixels hear, ``grid`` what they say; the last three are written.
    """

    @njit(**_compiled)
    def sweep(
        which, scores, total, marginals,
        offsets_1, weights_1, blurred_1, grid_1,
        offsets_2, weights_2, blurred_2, grid_2,
        still_open, largest, change,
    ):  # fmt: skip
        values = np.empty(channels + 1, np.float32)
        opened = 0
        for n in which:
            for c in range(channels):
                values[c] = 0
            _hear(values, n, offsets_1, weights_1, blurred_1, channels)
            _hear(values, n, offsets_2, weights_2, blurred_2, channels)
            _softmax(values, n, scores, total, channels)
            best = np.float32(0)
            for c in range(channels + 1):
                largest[c] = max(largest[c], values[c])
                best = max(best, values[c])
            if best < 1 - SETTLED:
                still_open[opened] = n
                opened += 1
            moved = np.float32(0)
            for c in range(channels):
                values[c] -= marginals[n, c]
                marginals[n, c] += values[c]
                moved += values[c] * values[c]
            change[0] += moved
            if moved > UNHEARD:
                _tell(values, n, offsets_1, weights_1, grid_1, channels)
                _tell(values, n, offsets_2, weights_2, grid_2, channels)
        return opened

    return sweep


@njit(**_inlined)
def _hear(values, n, cells, weights, blurred, channels):
    for corner in range(cells.shape[1]):
        # Read once: the compiler cannot know that the writing leaves them as they are.
        cell, weight = cells[n, corner], weights[n, corner]
        for c in range(channels):
            values[c] += weight * blurred[cell, c]


@njit(**_inlined)
def _tell(values, n, cells, weights, grid, channels):
    for corner in range(cells.shape[1]):
        cell, weight = cells[n, corner], weights[n, corner]
        for c in range(channels):
            grid[cell, c] += weight * values[c]


@njit(**_inlined)
def _softmax(values, n, scores, total, channels):
    """Turn what a pixel heard into marginals; all messages together are ``total``."""
    rest = total[n]
    highest = np.float32(-np.inf)
    for c in range(channels):
        rest -= values[c]
        values[c] += scores[n, c]
        highest = max(highest, values[c])
    values[channels] = rest + scores[n, channels]
    highest = max(highest, values[channels])
    summed = np.float32(0)
    for c in range(channels + 1):
        value = values[c] - highest
        values[c] = np.exp(value) if value > FAR_BEHIND else np.float32(0)
        summed += values[c]
    for c in range(channels + 1):
        values[c] /= summed
