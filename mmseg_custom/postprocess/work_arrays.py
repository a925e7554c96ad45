"""Arrays that the dense CRF works in, kept from photo to photo."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import DTypeLike

# Fresh memory has to be cleared by the operating system, which takes as long as half of the
# inference. More bytes than these are returned to it, so that a server does not keep gigabytes.
MOST_KEPT = 2**29


class WorkArrays:
    """Arrays of one photo: the n-th one that is requested uses the memory of the last photo's."""

    def __init__(self):
        self._buffers: list[np.ndarray] = []
        self._used = 0

    def empty(self, shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
        """Return an array whose content is arbitrary, as ``np.empty`` does."""
        dtype, place = np.dtype(dtype), self._used
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        self._used += 1
        if place == len(self._buffers):
            self._buffers.append(np.empty(size, np.uint8))
        elif self._buffers[place].size < size:
            self._buffers[place] = np.empty(size, np.uint8)
        return self._buffers[place][:size].view(dtype).reshape(shape)

    def rewind(self) -> None:
        """Let the next photo use the memory; the arrays of the last one must not be used again."""
        self._used = 0
        if sum(buffer.size for buffer in self._buffers) > MOST_KEPT:
            self._buffers.clear()


class WorkArraysPool:
    """Work arrays for each thread that is at work; copies and pickles of a pool are empty."""

    def __init__(self):
        self._idle: list[WorkArrays] = []

    def __reduce__(self):
        return type(self), ()

    @contextmanager
    def borrow(self) -> Iterator[WorkArrays]:
        """Lend work arrays that no other thread has."""
        try:
            arrays = self._idle.pop()
        except IndexError:
            arrays = WorkArrays()
        try:
            yield arrays
        finally:
            arrays.rewind()
            self._idle.append(arrays)
