"""Python's collector of circular garbage, out of the way."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting_collector() -> Iterator[None]:
    """Do not look for circular garbage while something large is loaded.

    The collector would look at each new list and dict again and again; and ``gc.collect()``, which
    MMEngine calls for every dataset, would look at all objects of all imported libraries, which
    takes a quarter of a second. Objects from before are out of its sight inside.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
