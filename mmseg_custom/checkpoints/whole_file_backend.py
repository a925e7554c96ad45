"""Checkpoints that are on the disk whole or not at all."""

import errno
import os
import shutil
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from mmseg_custom.checkpoints.sealed import is_archive, write_sealed
from mmseg_custom.utils import UserError, atomic_path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@register_backend('local', force=True, prefixes='')
class WholeFileBackend(LocalBackend):
    """MMEngine's local files, written under a temporary name, synchronised and renamed.

    MMEngine's own backend writes in place: a run that is killed in the middle leaves a torn file
    under the name of the newest checkpoint. This one takes its place for all that MMEngine writes
    by its file backends, whichever runner, strategy or hook does so.
    """

    def put(self, obj: bytes, filepath: str | os.PathLike) -> None:
        """Write a file whole; what ``torch.save`` made gets its checksum.

        Args:
            obj: Its content.
            filepath: Where to; missing folders are made.

        Raises:
            UserError: There is no room. What was under this name before is still there.
        """
        try:
            with atomic_path(filepath, durable=True) as temporary:
                write = write_sealed if is_archive(obj) else Path.write_bytes
                write(temporary, obj)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            free = shutil.disk_usage(Path(filepath).parent).free
            raise UserError(
                f'{filepath}: there is no room for it on the disk ({error.strerror}): it needs '
                f'{len(obj) / 1e6:.1f} MB, {free / 1e6:.1f} MB are free; the files written before '
                'are as they were: make room, then start the same command with --resume'
            ) from error
