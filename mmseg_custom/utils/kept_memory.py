"""Memory that is freed and asked for again with every photo."""

import ctypes

# Parameters of glibc's mallopt, of malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
# Larger than the results of a batch of usual photos; what is larger goes back to the system.
LARGEST = 256 << 20


def keep_freed_memory() -> None:
    """Let this process keep up to half a gigabyte that it has freed, for the next photo.

    glibc gives arrays of more than 32 MB back to the system at once, and the next batch waits until
    the system has filled the same memory with zeros again: a third of the time of a small model.
    Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST)
    mallopt(M_TRIM_THRESHOLD, 2 * LARGEST)
