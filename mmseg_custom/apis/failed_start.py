"""Remove what MMEngine wrote for a training or a test that could not start."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.logging import MMLogger

from mmseg_custom.utils import UserError

# What only a training that has begun, or a test that has finished, writes.
RESULTS = ('*.pth', '*/vis_data/scalars.json', 'metrics.json')


@contextmanager
def removing_failed_start(work_dir: str) -> Iterator[None]:
    """Remove new files when the body raises a :class:`UserError` before its first result.

    MMEngine makes the folder, a log and a copy of the config before it looks at the data.

    Args:
        work_dir: Where the body writes. What was in it before stays.
    """
    folder = Path(work_dir)
    existed = folder.exists()
    before = set(folder.iterdir()) if existed else set()
    results = _results(folder)
    try:
        yield
    except UserError:
        if is_main_process() and folder.is_dir() and _results(folder) == results:
            for path in set(folder.iterdir()) - before:
                _close_logs(path)
                shutil.rmtree(path, ignore_errors=True)
            if not existed and not any(folder.iterdir()):
                folder.rmdir()
        raise


def _results(folder: Path) -> set[Path]:
    return {path for pattern in RESULTS for path in folder.glob(pattern)}


def _close_logs(folder: Path) -> None:
    # MMEngine keeps a logger for the life of the process. The next run that prints through it
    # would write to a file that is gone.
    logger = MMLogger.get_current_instance()
    for handler in list(logger.handlers):
        if (
            isinstance(handler, logging.FileHandler)
            and folder.resolve() in Path(handler.baseFilename).parents
        ):
            logger.removeHandler(handler)
            handler.close()
