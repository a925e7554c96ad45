"""The photo files of a dataset, through the wrappers that datasets come in."""

import filecmp
import os
from collections import defaultdict
from collections.abc import Sequence

from mmseg_custom.utils.remote import fetched, size_of

from .class_lists import of_leaves


def photo_paths(dataset) -> list[str]:
    """Return the path of each photo of a dataset, each once, in order.

    Args:
        dataset: Has ``get_data_info(idx)`` with ``img_path``, or wraps such datasets. Of others
            nothing is known, and nothing is returned.
    """
    return list(dict.fromkeys(of_leaves(dataset, _paths_of_leaf)))


def _paths_of_leaf(dataset) -> list[str]:
    if not hasattr(dataset, 'get_data_info'):
        return []
    found = (dataset.get_data_info(idx).get('img_path') for idx in range(len(dataset)))
    return [path for path in found if path]


def shared_photos(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return the files of ``first`` that are, byte by byte, also in ``second``.

    Args:
        first: Paths; a missing file is nobody's copy.
        second: Paths.
    """
    known = {os.path.realpath(path) for path in second}
    by_size = defaultdict(list)
    for path in known:
        if (size := size_of(path)) is not None:
            by_size[size].append(path)
    return [path for path in first if _is_known(path, known, by_size)]


def _is_known(path: str, known: set[str], by_size: dict[int, list[str]]) -> bool:
    if os.path.realpath(path) in known:
        return True
    size = size_of(path)
    others = [] if size is None else by_size[size]
    return any(filecmp.cmp(fetched(path), fetched(other), False) for other in others)
