"""What the HTTP API answers under a steady load, and when many photos come at once."""

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, existing_file, positive_number, share

from .memory import resident_memory

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / 'samples' / 'recycle_trash'
CAPACITY_PHOTOS, CAPACITY_CLIENTS, PATIENCE = 120, 8, 600


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.load',
        description=__doc__ + ' First as many as the server can answer are counted; then requests '
        'come at a fraction of that rate, whether or not earlier ones are answered; then a burst.',
        example='python -m benchmarks.load --minutes 10 --burst 500',
    )
    parser.add_argument('--model', type=existing_file, default=ROOT / 'weights' / 'trash11')
    parser.add_argument('--photos', type=existing_dir, default=SAMPLES, metavar='DIR')
    parser.add_argument('--minutes', type=positive_number, default=10, help='(10)')
    parser.add_argument('--fraction', type=share, default=0.8, help='of the capacity (0.8)')
    parser.add_argument('--burst', type=cli.natural_int, default=500, help='at once (500)')
    parser.add_argument('--out', default='work_dirs/load.json', metavar='FILE')
    return parser


def run(args) -> None:
    """Start the server, load it, and write what it did."""
    from mmseg_custom.utils import write_json

    photos = [path.read_bytes() for path in sorted(Path(args.photos).rglob('*.jpg'))]
    with served(args.model) as (pid, port):
        measured = asyncio.run(measure(pid, port, photos, args))
    write_json(args.out, measured)
    print(json.dumps(measured, indent=1))


@contextmanager
def served(model: str | Path) -> Iterator[tuple[int, int]]:
    """Run the server with a model; yields its process id and its port."""
    port = free_port()
    command = [sys.executable, ROOT / 'apps' / 'serve.py', model, '--port', port]
    server = subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield server.pid, port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


async def measure(pid: int, port: int, photos: list[bytes], args) -> dict:
    """Return the capacity, the steady load's and the burst's answers, and the memory."""
    source = cycle(photos)
    started = time.monotonic()
    turns = asyncio.Semaphore(CAPACITY_CLIENTS)
    await asyncio.gather(*(ask(port, next(source), turns) for _ in range(CAPACITY_PHOTOS)))
    capacity = CAPACITY_PHOTOS / (time.monotonic() - started)
    rate = args.fraction * capacity
    steady, memory = await sustain(pid, port, source, rate, 60 * args.minutes)
    burst = await asyncio.gather(*(ask(port, next(source)) for _ in range(args.burst)))
    return dict(
        capacity_per_second=capacity,
        rate_per_second=rate,
        load_average=os.getloadavg()[1],
        steady=describe(steady),
        burst=describe(burst),
        memory_mb=dict(
            first_minute=max(memory[:60]),
            last_minute=max(memory[-60:]),
            after_burst=resident_memory(pid),
        ),
    )


def wait_for(port: int) -> None:
    """Wait until the server listens; its model is loaded before."""
    for _ in range(600):
        try:
            socket.create_connection(('127.0.0.1', port)).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError('the server does not start')


async def sustain(pid: int, port: int, source, rate: float, seconds: float) -> tuple[list, list]:
    """Send photos at a rate; return the answers, and the memory in MB once a second."""
    tasks, memory = [], []
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < seconds:
        while len(tasks) < rate * elapsed:
            tasks.append(asyncio.create_task(ask(port, next(source))))
        if elapsed >= len(memory):
            memory.append(resident_memory(pid))
        await asyncio.sleep(0.005)
    return await asyncio.gather(*tasks), memory


async def ask(port: int, photo: bytes, turns: asyncio.Semaphore | None = None) -> tuple[int, float]:
    """Return status (0: no answer) and seconds of a request, from before its connection on."""
    if turns:
        async with turns:
            return await ask(port, photo)
    started = time.monotonic()
    head = (
        'POST /segment HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n'
        f'Content-Length: {len(photo)}\r\nConnection: close\r\n\r\n'
    )
    status = 0
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection('127.0.0.1', port)
            writer.write(head.encode() + photo)
            answer = await reader.read()
            writer.close()
            first, _, body = answer.partition(b'\r\n\r\n')
            json.loads(body)
            status = int(first.split()[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        pass
    return status, time.monotonic() - started


def describe(answers: list[tuple[int, float]]) -> dict:
    """Return counts by status (0: lost), and latencies of the photos that were answered."""
    seconds = sorted(taken for status, taken in answers if status == 200)
    parts = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else [0.0] * 99
    counts = Counter(str(status) for status, _ in answers)
    return dict(
        requests=len(answers),
        statuses=counts,
        p50=parts[49],
        p99=parts[98],
        slowest=max(seconds, default=0.0),
    )


if __name__ == '__main__':
    cli.main(build_parser, run)
