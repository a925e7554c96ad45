"""Run command-line tools in processes that are forked after the imports, which take seconds."""

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path

from mmseg_custom.runs.warm_process import WarmProcess
from mmseg_custom.utils import UserError
from mmseg_custom.utils.thread_pool import thread_pool

ROOT = Path(__file__).resolve().parents[1]
# Without the second part, which asks for a GPU while it is imported.
ALWAYS = ['torch', 'torchvision', 'timm', 'cv2', 'scipy.stats', 'matplotlib.figure']
WITH_GPU_CHECK = ['mmengine.runner', 'mmseg_custom.plugins', 'mmseg_custom.apis.training']


class ForkServer:
    """Starts processes that have imported what trainings import.

    A process that initialized CUDA cannot be forked. PyTorch looks for a GPU through NVML where an
    environment variable asks for it, which initializes nothing. Where that does not help, the
    modules that look for one are imported by each process.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._warm: list[WarmProcess] = []

    @cached_property
    def _context(self) -> multiprocessing.context.BaseContext:
        import torch

        os.environ['PYTORCH_NVML_BASED_CUDA_CHECK'] = '1'
        safe = not torch.cuda.is_available() or _fork_keeps_cuda()
        context = multiprocessing.get_context('forkserver')
        context.set_forkserver_preload(ALWAYS + WITH_GPU_CHECK * safe)
        return context

    def call(self, function: Callable, arguments: Sequence, log: Path) -> None:
        """Call a function in a new process and wait for its end.

        Args:
            function: Of a module; an exception or an exit code other than 0 is a failure.
            arguments: Its arguments, which pickle.
            log: Gets the output.

        Raises:
            UserError: The call failed; names the log.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        process = self._context.Process(target=_call, args=(function, arguments, str(log)))
        process.start()
        process.join()
        if process.exitcode:
            raise UserError(f'{log}: failed with exit code {process.exitcode}')

    def tool(self, script: str, arguments: Sequence[str], log: Path) -> None:
        """Run a tool, such as ``tools/train.py``, in a process of this thread; see :meth:`call`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        if not hasattr(self._of_thread, 'process'):
            self._of_thread.process = WarmProcess()
            self._warm.append(self._of_thread.process)
        command = [sys.executable, str(ROOT / script), *map(str, arguments)]
        code = self._of_thread.process.run(command, log, threading.Event())
        if code:
            raise UserError(f'{log}: failed with exit code {code}')

    def close(self) -> None:
        """End the processes."""
        for process in self._warm:
            process.close()


def _fork_keeps_cuda() -> bool:
    """Return whether a process that is forked after all imports can use the GPU."""
    names = ', '.join(ALWAYS + WITH_GPU_CHECK)
    code = (
        f'import os, sys, {names}\n'
        'child = os.fork()\n'
        'if not child:\n'
        "    torch.zeros(1, device='cuda')\n"
        '    os._exit(0)\n'
        'sys.exit(os.waitpid(child, 0)[1] != 0)\n'
    )
    command = [sys.executable, '-c', code]
    return not subprocess.run(command, capture_output=True, cwd=ROOT).returncode


def _call(function: Callable, arguments: Sequence, log: str) -> None:
    with open(log, 'a', encoding='utf-8') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    function(*arguments)


class Steps:
    """Steps that wait for each other, in a number of processes; a failed one stops what needs it.

    Steps are begun in the order in which they were added, so a stop leaves the first ones complete.

    Args:
        jobs: How many run at the same time.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._steps: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {}

    def add(self, name: str, step: Callable[[], None], after: Sequence[str] = ()) -> None:
        """Add a step, which is run after those named ``after``; they were added before."""
        self._steps[name] = (step, tuple(after))

    def run(self, when_done: Callable[[str], None] = lambda name: None) -> dict[str, str]:
        """Run all steps.

        Args:
            when_done: Is called with the name of each step that succeeded.

        Returns:
            dict: Name and message of each step that failed, or was not begun for that reason.
        """
        futures: dict[str, Future] = {}

        def run(name: str) -> None:
            step, after = self._steps[name]
            for needed in after:
                futures[needed].result()
            step()
            when_done(name)

        with thread_pool(self._jobs) as pool:
            for name in self._steps:
                futures[name] = pool.submit(run, name)
        errors = {name: future.exception() for name, future in futures.items()}
        return {name: str(error) for name, error in errors.items() if error}
