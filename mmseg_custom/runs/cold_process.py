"""Commands in a process of their own, such as launchers of several processes."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Event

POLL_SECONDS = 0.2


class ColdProcess:
    """Runs each command in a process of its own."""

    def run(self, command: Sequence[str], log: Path, stop: Event) -> int | None:
        """Do what :meth:`~mmseg_custom.runs.warm_process.WarmProcess.run` does."""
        with open(log, 'a', encoding='utf-8') as file:
            running = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            while running.poll() is None:
                if stop.wait(POLL_SECONDS):
                    return None
        finally:
            running.terminate()
            running.wait()
        return running.returncode

    def close(self) -> None:
        """Nothing is left to end."""
