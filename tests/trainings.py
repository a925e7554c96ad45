"""Short trainings by tools/train.py; tests import it as `from trainings import train`."""

from pathlib import Path

from processes import run_to_end
from products import SHORT, TOY

# Loading workers change nothing, and take long to start.
ALONE = ['train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']


def train(data: Path, work_dir: Path, *more, config: Path = TOY, code: int = 0, options=()):
    """Train as the shared training was trained.

    Args:
        data: The data.
        work_dir: Where to write.
        *more: Further arguments.
        config: The experiment.
        code: The exit code it has to end with.
        options: For --cfg-options, behind those of the shared training.
    """
    seed = [] if '--seed' in more else ['--seed', 3]
    arguments = [config, '--data-root', data, '--work-dir', work_dir, *seed, *more]
    every = [*SHORT, *ALONE, *options]
    return run_to_end('tools/train.py', *arguments, '--cfg-options', *every, code=code)


def content_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    files = (path for path in sorted(folder.rglob('*')) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
