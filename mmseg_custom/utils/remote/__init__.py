"""Files in object storage and on web servers, read through a local cache of limited size.

An address such as ``s3://bucket/set`` stands for a folder of the cache (:func:`local_path`), so
that paths are joined, compared and sorted as those of local files. What reads a file asks
:func:`fetched` for it first; what looks whether it is there asks :func:`is_file`.
"""

from mmseg_custom.utils.addresses import address_of, is_address, local_path

from .files import fetched, is_dir, is_file, list_folder, list_folders, matches, size_of, walk

__all__ = [
    'address_of',
    'fetched',
    'is_address',
    'is_dir',
    'is_file',
    'list_folder',
    'list_folders',
    'local_path',
    'matches',
    'size_of',
    'walk',
]
