"""Tools that a tool starts are forked: importing torch takes six seconds each time.

Tests import the fixture as `from forked_tools import forked_tools`.
"""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from processes import ToolProcess


class ForkedTool(ToolProcess):
    """What a tool needs of `subprocess.Popen`.

    Args:
        command: Python, a script, and its arguments.
        stdout: An open file, or None for this process's standard output.
        stderr: Only into ``stdout``.
    """

    def __init__(self, command, stdout=None, stderr=subprocess.STDOUT):
        python, script, *arguments = map(str, command)
        assert (python, stderr) == (sys.executable, subprocess.STDOUT)
        target = stdout.name if stdout else os.devnull
        self._start([script, *arguments], [target, target])

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def terminate(self) -> None:
        self._process.terminate()


def run(command) -> ForkedTool:
    process = ForkedTool(command)
    process.wait()
    return process


@pytest.fixture
def forked_tools(monkeypatch):
    """Let self_train.py fork what it starts."""
    fork_tools(monkeypatch)


def fork_tools(monkeypatch) -> None:
    """Do what the fixture does."""
    from mmseg_custom.pseudo import self_training
    from mmseg_custom.runs import cold_process

    stand_in = SimpleNamespace(Popen=ForkedTool, run=run, STDOUT=subprocess.STDOUT)
    monkeypatch.setattr(cold_process, 'subprocess', stand_in)
    monkeypatch.setattr(self_training, 'subprocess', stand_in)
