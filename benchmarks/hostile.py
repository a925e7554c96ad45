"""How long the HTTP API takes over hostile and costly photos, and how much memory each takes."""

import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file
from mmseg_custom.utils.tables import markdown

from .load import ROOT, served
from .memory import resident_memory

sys.path.insert(0, str(ROOT / 'tests'))


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.hostile',
        description=__doc__ + ' Files of --more are sent, too.',
        example='python -m benchmarks.hostile --more photo.jpg',
    )
    parser.add_argument('--model', type=existing_file, default=ROOT / 'weights' / 'trash11')
    parser.add_argument('--more', nargs='*', type=existing_file, default=[], metavar='FILE')
    return parser


def run(args) -> None:
    """Start the server, send each file, and print what it cost."""
    from hostile_photos import costly_photos, hostile_photos

    photos = {name: content for name, (content, _) in hostile_photos().items()} | costly_photos()
    photos |= {Path(path).name: Path(path).read_bytes() for path in args.more}
    lines = [['photo', 'kB', 'status', 'seconds', 'MB more']]
    sample = next((ROOT / 'samples').rglob('*.jpg')).read_bytes()
    with served(args.model) as (pid, port):
        # What the first photos allocate is kept for the next ones.
        for _ in range(5):
            send(port, sample)
        for name, content in {'(a normal photo)': sample, **photos}.items():
            with PeakMemory(pid) as peak:
                status, seconds = send(port, content)
            size = f'{len(content) / 1000:.0f}'
            lines.append([name, size, str(status), f'{seconds:.2f}', f'{peak.more:.0f}'])
    print(markdown(lines))


class PeakMemory:
    """Watches the resident memory of a process and its children.

    Attributes:
        more: How many MB it rose at most.
    """

    def __init__(self, pid: int):
        self.pid, self.more = pid, 0.0

    def __enter__(self) -> 'PeakMemory':
        self._before, self._stop = resident_memory(self.pid), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.002):
            try:
                self.more = max(self.more, resident_memory(self.pid) - self._before)
            except (OSError, IndexError):
                # A process has ended while it was looked at.
                continue


def send(port: int, content: bytes) -> tuple[int | str, float]:
    """Return the status of the answer and the seconds until it."""
    request = urllib.request.Request(
        f'http://127.0.0.1:{port}/segment', content, {'Content-Type': 'image/jpeg'}
    )
    started = time.monotonic()
    status: int | str
    try:
        with urllib.request.urlopen(request, timeout=200) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        # A body above the limit is not read to its end.
        status = 'closed'
    return status, time.monotonic() - started


if __name__ == '__main__':
    cli.main(build_parser, run)
