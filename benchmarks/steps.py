"""Steps of a study that wait for each other, and the tools that they run."""

import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from mmseg_custom.runs.warm_process import WarmProcess
from mmseg_custom.utils import UserError
from mmseg_custom.utils.thread_pool import thread_pool

ROOT = Path(__file__).resolve().parents[1]


class Tools:
    """Runs scripts of the project in processes that have imported PyTorch, one a thread."""

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._started: list[WarmProcess] = []

    def run(self, script: str, arguments: Sequence[object], log: Path) -> None:
        """Run a script to its end.

        Args:
            script: Such as ``tools/train.py``.
            arguments: Its arguments.
            log: Gets the output.

        Raises:
            UserError: It failed; names the log.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        if not hasattr(self._of_thread, 'process'):
            self._of_thread.process = WarmProcess()
            self._started.append(self._of_thread.process)
        command = [sys.executable, str(ROOT / script), *map(str, arguments)]
        code = self._of_thread.process.run(command, log, threading.Event())
        if code:
            raise UserError(f'{log}: failed with exit code {code}')

    def close(self) -> None:
        """End the processes."""
        for process in self._started:
            process.close()


class Steps:
    """Steps that wait for each other, several at once; a failed one stops what needs it.

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
