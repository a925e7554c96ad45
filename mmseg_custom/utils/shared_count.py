"""A number that several processes count up together."""

import multiprocessing
from multiprocessing import context


class SharedCount:
    """Counts up to a limit, over a process and the data loading workers that it starts.

    Workers share the number, whether they are forked or spawned. A copy, or what is read from a
    pickle in another program, begins with the number and counts on its own.

    Args:
        count: Where it begins.
    """

    def __init__(self, count: int = 0):
        # One of this context goes to forked workers too; the other way round it does not.
        self._value = multiprocessing.get_context('spawn').Value('i', count)

    def take(self, limit: int) -> int | None:
        """Count one more.

        Args:
            limit: The largest number.

        Returns:
            int: The new number; None if it would be above the limit.
        """
        with self._value.get_lock():
            if self._value.value >= limit:
                return None
            self._value.value += 1
            return self._value.value

    def __deepcopy__(self, memo: dict) -> 'SharedCount':
        return SharedCount(self._value.value)

    def __reduce__(self) -> tuple:
        # Only while a process is spawned can its pickle hold shared memory.
        if context.get_spawning_popen() is not None:
            return _attach, (self._value,)
        return SharedCount, (self._value.value,)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self._value.value})'


def _attach(value) -> SharedCount:
    count = SharedCount.__new__(SharedCount)
    count._value = value
    return count
