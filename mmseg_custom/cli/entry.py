"""Run a command: parse, run, and turn errors into messages and exit codes."""

import argparse
import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mmseg_custom.utils.addresses import is_address, shown
from mmseg_custom.utils.errors import UserError

from .remedies import advice, options_of

USER_ERRNOS = {
    errno.ENOSPC: 'the disk is full: free some space, or write to another place',
    errno.EDQUOT: 'the disk quota is used up: free some space, or write to another place',
    errno.EACCES: 'permission denied: choose a place you may read and write',
    errno.EROFS: 'the file system is read-only: choose another place to write to',
    errno.ENAMETOOLONG: 'the name is too long: choose a shorter one',
    errno.ENOENT: 'no such file or folder: check the path',
    errno.ENOTDIR: 'a part of the path is a file, not a folder: check the path',
    errno.EISDIR: 'this is a folder where a file is wanted: check the path',
    errno.EEXIST: 'this exists already and is not a folder: choose another place',
}


def main(
    build_parser: Callable[[], argparse.ArgumentParser],
    run: Callable[[argparse.Namespace], int | None],
    argv: Sequence[str] | None = None,
) -> None:
    """Parse, run, and end the process: 0 or what ``run`` returns, 2 for a user's mistake.

    An exception with an ``exit_code`` (``mmseg_custom.utils.UserError``) and a system error that a
    person can fix (no disk, no permission, no such file) become one message; any other exception
    is a bug and keeps its traceback. The message of the library says the cause; what the running
    command can do about it (:func:`~mmseg_custom.cli.remedies.advice`) is added here.

    Args:
        build_parser: Describes the command line.
        run: Does the work; may return an exit code.
        argv: The arguments; those of the process if None.
    """
    _print_whatever_there_is()
    _let_threads_sleep()
    parser = build_parser()
    args = parser.parse_args(argv)
    try:
        for name in ('out', 'work_dir'):
            _refuse_address(getattr(args, name, None))
        code = run(args) or 0
    except KeyboardInterrupt:
        _fail('stopped by the keyboard', 130)
    except BrokenPipeError:
        # The reader (`| head`) closed the pipe, which is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        if error.errno not in USER_ERRNOS:
            raise
        _fail(f'{error.filename or error}: {USER_ERRNOS[error.errno]}', 2)
    except Exception as error:
        if not hasattr(error, 'exit_code'):
            raise
        options = options_of(parser, args)
        _fail(f'{error}{advice(getattr(error, "kind", ""), options)}', error.exit_code)
    sys.stdout.flush()
    _leave_processes()
    sys.exit(code)


def _refuse_address(place: object) -> None:
    """Raise where results would go to object storage; a folder named `s3:` would be made."""
    if is_address(place):
        raise UserError(f'{place}: results are written to local folders', kind='remote-output')


def _let_threads_sleep() -> None:
    """Let PyTorch's threads sleep while they wait for each other, unless the user says otherwise.

    By default they spin for milliseconds, and beside another program that takes the core of the
    thread that they wait for: a photo took 3 to 7 times as long, and 5 times the CPU. OpenMP reads
    this when PyTorch is imported, which is later.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')


def _print_whatever_there_is() -> None:
    """Write characters that the terminal does not know as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def _leave_processes() -> None:
    """Destroy the process group: a process whose threads still communicate can abort at exit."""
    distributed = sys.modules.get('torch.distributed')
    if distributed and distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def _fail(message: str, code: int) -> None:
    """Print ``message`` the way argparse does and leave with ``code``."""
    rank = int(os.environ.get('RANK', 0))
    where = f' (process {rank})' if rank else ''
    print(f'{Path(sys.argv[0]).name}: error{where}: {shown(message)}', file=sys.stderr, flush=True)
    if 'multiprocessing.util' in sys.modules:
        # At the exit of this process, before Python asks its workers to end and waits for them.
        sys.modules['multiprocessing.util'].Finalize(None, _end_workers, exitpriority=100)
    sys.exit(code)


def _end_workers() -> None:
    """Kill what loads data.

    Python asks it to end by SIGTERM and waits; a worker that was forked while another thread held
    a lock, or that has the handler of a training, never does.
    """
    # PyTorch's handler would raise an error about the worker that is killed here.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for process in sys.modules['multiprocessing'].active_children():
        if process.daemon:
            process.kill()
