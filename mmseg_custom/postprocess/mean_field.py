"""Mean-field inference for one photo, compiled by Numba.

Gives the marginals of the update that evaluates every pixel in every step, up to ``SKIPPED`` per
step, without evaluating most pixels: a pixel's marginals can only change as far as its messages
do. With ``rest`` the probability of all classes but the most probable one, and messages that have
changed by a spread of at most ``s`` (largest minus smallest change over the classes), each marginal
has changed by at most ``rest * (exp(s) - 1)``. The spread is summed over the steps for each lattice
cell, and a pixel is skipped while this bound is below ``SKIPPED``.
"""

from collections.abc import Sequence

import numpy as np

from .mean_field_loops import (
    begin,
    find_peaks,
    join,
    sweep,
    write_marginals,
)
from .permutohedral import PermutohedralLattice
from .work_arrays import WorkArrays

# Classes that are left out have, in every step and pixel, at most this probability together.
LEFT_OUT = 1e-3
# Rows are padded to a multiple of this many classes, so that all of a row is vectorized.
LANES = 4


class MeanField:
    """The marginals of the classes at each pixel of one photo.

    Nothing here checks its input: compiled code would read past the end of an array.
    :class:`~mmseg_custom.postprocess.DenseCrf` does.

    Args:
        probabilities: ``(C, N)`` float32 of N pixels, finite, 0..1.
        kernels: Pairs of weight (above 0) and lattice, of 2 or 5 dimensions, of the N
            pixels; without any, nothing changes. The first lattice has room for the corners of
            the others.
        arrays: Where the largest arrays come from.

    Attributes:
        kept: ``(K,)`` int64, the classes that are not left out, at least one.
    """

    def __init__(
        self,
        probabilities: np.ndarray,
        kernels: Sequence[tuple[float, PermutohedralLattice]],
        arrays: WorkArrays,
    ):
        classes, count = probabilities.shape
        peaks = np.zeros(classes, np.float32)
        find_peaks(probabilities, peaks)
        self.kept = _classes_that_matter(peaks, kernels)
        width = -(-len(self.kept) // LANES) * LANES
        self._priors = arrays.empty((count, width), np.float32)
        self._marginals = arrays.empty((count, width), np.float32)
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
        shape = int(ends[-1]), width
        self._changes = arrays.empty(shape, np.float32)
        self._spare = arrays.empty(shape, np.float32)
        self._blurred = arrays.empty(shape, np.float32)
        self._changes[:] = 0
        self._blurred[:] = 0
        self._drift = np.zeros(len(self._changes), np.float32)
        self._limits = np.full(count, -1, np.float32)
        begin(
            probabilities,
            self.kept,
            self._offsets,
            self._weights,
            self._priors,
            self._marginals,
            self._changes,
        )

    def _join(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the offsets and weights of all kernels side by side."""
        if not self._kernels:
            shape = len(self._priors), 0
            return np.empty(shape, np.uint32), np.empty(shape, np.float32)
        first, *others = [lattice for _, lattice in self._kernels]
        offsets, weights = first.roomy_offsets, first.roomy_weights
        corner = first.offsets.shape[1]
        for lattice, part in zip(others, self._parts[1:], strict=True):
            join(lattice.offsets, lattice.weights, part.start, corner, offsets, weights)
            corner += lattice.offsets.shape[1]
        return offsets, weights

    def step(self) -> int:
        """Update the marginals once.

        Returns:
            int: Number of pixels that changed; after 0, no further step changes anything.
        """
        for (weight, lattice), part in zip(self._kernels, self._parts, strict=True):
            lattice.add_blurred(
                self._changes[part],
                self._spare[part],
                weight,
                self._blurred[part],
                self._drift[part],
            )
        self._changes[:] = 0
        return sweep(
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
        write_marginals(self._marginals, self.kept, out)


def _classes_that_matter(
    peaks: np.ndarray, kernels: Sequence[tuple[float, PermutohedralLattice]]
) -> np.ndarray:
    """Leave out classes that are improbable everywhere and provably stay so.

    A marginal is at most ``prior * exp(message)``, since no message is negative, and a message is
    at most ``strength`` times the largest marginal of its class. So ``x`` with
    ``peak * exp(strength * x) <= x`` bounds the marginals of all steps; ``x = e * peak`` is one
    where ``e * strength * peak <= 1``.
    """
    bounds = np.e * peaks.astype(np.float64)
    order = np.argsort(bounds)
    droppable = np.cumsum(bounds[order]) <= LEFT_OUT
    if droppable.any():
        strength = sum(weight * lattice.strength for weight, lattice in kernels)
        droppable &= strength * bounds[order] <= 1
    droppable[-1] = False
    return np.sort(order[~droppable])
