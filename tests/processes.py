"""Tools in processes of their own, forked from one that has imported torch and MMSegmentation.

Starting Python and importing these takes six seconds; a fork takes none. What is forked is a real
process: it has its own number, signals, files and exit code. Tests import this as
`from processes import ...`.
"""

import faulthandler
import gc
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRELOADED = ['mmseg_custom.plugins', 'mmseg_custom.apis', 'torch.utils.tensorboard', 'matplotlib']
CONTEXT = multiprocessing.get_context('forkserver')
CONTEXT.set_forkserver_preload(PRELOADED)


def format_each_config_once() -> None:
    """Remember what yapf made of a text.

    MMEngine formats the same config eight times in a short training, half of its time.
    """
    from yapf.yapflib import yapf_api

    if isinstance(yapf_api.FormatCode, Remembered):
        return
    yapf_api.FormatCode = Remembered(yapf_api.FormatCode)


def spare_collector() -> None:
    """Take what is there now, the imported libraries, out of garbage collections.

    MMEngine collects when a dataset is built; with PyTorch imported that takes a second.
    """
    gc.collect()
    gc.freeze()


class Remembered:
    """A function that is called once for equal arguments."""

    def __init__(self, function):
        self._function, self._results = function, {}

    def __call__(self, *args, **kwargs):
        key = repr((args, kwargs))
        if key not in self._results:
            self._results[key] = self._function(*args, **kwargs)
        return self._results[key]


def run_tool(command: list[str], output: list[str], env: dict, ignored: int | None) -> None:
    """Become the process of a tool: its arguments, output files, folder, and environment."""
    os.setsid()
    if ignored:
        signal.signal(ignored, signal.SIG_IGN)
    for target, path in zip((1, 2), output, strict=True):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, target)
        os.close(file)
    faulthandler.enable()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = command
    format_each_config_once()
    gc.freeze()
    runpy.run_path(command[0], run_name='__main__')


def call_in_file(path: str, name: str, *args) -> None:
    """Call a function of a test file, for a process of :data:`CONTEXT`."""
    runpy.run_path(path)[name](*args)


class ToolProcess:
    """A running tool, with the methods of `subprocess.Popen` that tests use.

    It leads a session of its own, as with `start_new_session`. It ignores a signal as a job of
    `nohup` ignores SIGHUP and one in a script's background SIGINT.
    """

    def __init__(
        self,
        path: str,
        *arguments,
        folder: Path,
        env: dict | None = None,
        ignored: int | None = None,
    ):
        self._output = [folder / f'.{time.monotonic_ns()}.{name}' for name in ('out', 'err')]
        for file in self._output:
            file.touch()
        command = [str(ROOT / path), *map(str, arguments)]
        self._start(command, [str(file) for file in self._output], env, ignored)

    def _start(
        self,
        command: list[str],
        output: list[str],
        env: dict | None = None,
        ignored: int | None = None,
    ) -> None:
        environment = os.environ | {'PYTHON': sys.executable} | (env or {})
        self._process = CONTEXT.Process(
            target=run_tool, args=(command, output, environment, ignored)
        )
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            os.kill(self.pid, signal.SIGABRT)
            self._process.join()
            raise AssertionError(f'{self._process} did not end in {timeout} s: {self.said()}')
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end and return standard output and standard error."""
        self.wait(timeout)
        return tuple(file.read_text() for file in self._output)

    def said(self) -> str:
        """Return the ends of standard output and standard error so far."""
        lines = [line for file in self._output for line in file.read_text().splitlines()]
        # faulthandler's list of C modules is as long as everything else.
        return '\n'.join(line for line in lines if 'Extension modules' not in line)[-10_000:]


def run_to_end(path: str, *arguments, code: int = 0, env: dict | None = None):
    """Run a tool in a forked process and check its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        process = ToolProcess(path, *arguments, folder=Path(folder), env=env)
        out, err = process.communicate()
    assert process.poll() == code, f'{path} {arguments}\n{out[-3000:]}\n{err[-3000:]}'
    return subprocess.CompletedProcess(path, code, out, err)


def start_to_end(path: str, *arguments, code: int = 0, env: dict | None = None):
    """Start a tool or a shell script as a user does, and check its exit code."""
    command = [sys.executable if path.endswith('.py') else 'bash', str(ROOT / path)]
    command += map(str, arguments)
    environment = os.environ | {'PYTHON': sys.executable} | (env or {})
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == code, f'{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
    return done
