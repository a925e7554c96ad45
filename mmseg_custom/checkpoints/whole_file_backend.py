"""Write checkpoints atomically."""

import errno
import os
import shutil
from pathlib import Path

from mmengine.fileio import LocalBackend

from mmseg_custom.checkpoints.sealed import is_archive, write_sealed
from mmseg_custom.utils import UserError, atomic_path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class WholeFileBackend(LocalBackend):
    """MMEngine's local files, written under a temporary name, synchronized and renamed.

    MMEngine's own backend writes in place: a run that is killed while it writes leaves a truncated
    file under the name of the newest checkpoint. During a training or a test this one replaces it
    (:func:`~mmseg_custom.checkpoints.mmengine_files.safe_mmengine_files`) for every runner,
    strategy and hook.
    """

    def put(self, obj: bytes, filepath: str | os.PathLike) -> None:
        """Write a file atomically; what ``torch.save`` made gets its checksum.

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
                'are intact: free some space, then start again',
                kind='interrupted',
            ) from error
