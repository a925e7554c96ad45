"""Keep messages of libraries off the console."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loggers_silenced() -> Iterator[None]:
    """Drop all log records up to warnings."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
