"""Python scripts run one after the other by a process that has imported PyTorch already.

Starting Python and importing PyTorch, MMSegmentation and transformers takes eight seconds, and CUDA
three more: longer than a short training.
"""

import gc
import logging
import multiprocessing
import os
import runpy
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event

from mmseg_custom.utils.parent_death import outlive_parent_shortly

POLL_SECONDS = 0.05
PRELOADED = ['mmseg_custom.plugins', 'mmseg_custom.apis', 'torch.utils.tensorboard', 'matplotlib']


class WarmProcess:
    """A process that runs scripts, one after the other.

    What scripts of this project leave behind is put back between two of them: MMEngine's loggers
    and message hubs, and PyTorch's switches. A script that ends the process by force is noticed,
    and the next one gets another process.
    """

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def run(self, command: Sequence[str], log: Path, stop: Event) -> int | None:
        """Run a script to its end.

        Args:
            command: Python, the script, and its arguments.
            log: The script's output is added to this file.
            stop: Ends it by SIGTERM when set.

        Returns:
            int | None: Its exit code; None if it was stopped.
        """
        pipe, process = self._started()
        pipe.send(([str(word) for word in command[1:]], str(log)))
        try:
            while not pipe.poll(POLL_SECONDS):
                if stop.is_set():
                    self.close()
                    return None
            return pipe.recv()
        except (EOFError, ConnectionResetError):
            process.join()
            return process.exitcode
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process; a training in it writes a checkpoint before."""
        if self._pipe is not None and self._process is not None:
            self._pipe.close()
            self._process.terminate()
            self._process.join()
            self._process = None

    def _started(self) -> tuple[Connection, BaseProcess]:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            context = _context()
            pipe, other = context.Pipe()
            process = context.Process(
                target=_serve, args=(other, str(Path.cwd()), dict(os.environ))
            )
            process.start()
            other.close()
            self._pipe, self._process = pipe, process
        return self._pipe, self._process


def _context() -> SpawnContext | ForkServerContext:
    """Return how processes start: forked from one with all imports, or where CUDA is, from none.

    MMEngine asks for CUDA while it is imported, which no forked process can use after that.
    """
    import torch

    if torch.cuda.is_available():
        return multiprocessing.get_context('spawn')
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(PRELOADED)
    return context


def _serve(pipe: Connection, folder: str, environment: Mapping[str, str]) -> None:
    """Run what comes through the pipe until its other end is closed."""
    from mmseg_custom.models.segmentors.frozen_features import keep_for_next_training

    outlive_parent_shortly()
    os.chdir(folder)
    os.environ.update(environment)
    _format_each_config_once()
    keep_for_next_training()
    gc.collect()
    gc.freeze()
    while True:
        try:
            arguments, log = pipe.recv()
        except (EOFError, OSError):
            return
        code = _run(arguments, log)
        try:
            pipe.send(code)
        except OSError:
            return


def _run(arguments: list[str], log: str) -> int:
    """Run a script as ``python`` does; return its exit code."""
    import torch
    from torch.backends import cudnn

    switches = cudnn.deterministic, cudnn.benchmark
    sys.argv = arguments
    with _output_to(log):
        try:
            runpy.run_path(arguments[0], run_name='__main__')
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
            code = 1
    torch.use_deterministic_algorithms(False)
    cudnn.deterministic, cudnn.benchmark = switches
    _forget_instances()
    gc.collect()
    return code


@contextmanager
def _output_to(log: str):
    """Write standard output and standard error to the end of a file."""
    kept = [os.dup(number) for number in (1, 2)]
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for number in (1, 2):
            os.dup2(file, number)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, old in zip((1, 2), kept, strict=True):
            os.dup2(old, number)
            os.close(old)
        os.close(file)


def _forget_instances() -> None:
    """Drop what MMEngine keeps by the name of a run, and close its log files."""
    from mmengine.logging import MessageHub, MMLogger
    from mmengine.registry import DefaultScope
    from mmengine.visualization import Visualizer

    for logger in list(MMLogger._instance_dict.values()):
        for handler in logger.handlers:
            handler.close()
    for kind in (MessageHub, MMLogger, DefaultScope, Visualizer, *Visualizer.__subclasses__()):
        kind._instance_dict.clear()
    logging.captureWarnings(False)


def _format_each_config_once() -> None:
    """Remember the text of a config: MMEngine formats it a dozen times in a training."""
    from mmengine.config import Config

    format_config, known = Config.pretty_text.fget, {}

    def remembered(cfg: Config) -> str:
        key = repr(cfg.to_dict())
        if key not in known:
            known.clear()
            known[key] = format_config(cfg)
        return known[key]

    Config.pretty_text = property(remembered)
