"""Watch a belt for hours: memory and latency minute by minute, also while the camera vanishes."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int, positive_number

from .belt_camera import BeltCamera
from .memory import resident_memory

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / 'samples' / 'recycle_trash' / 'train_all.json'
# Of video, so that the oldest is soon deleted.
VIDEO_MB = 10
# What a camera does wrong, in turn, and for how many seconds.
FAULTS = (('vanish', 20), ('hang', 25), ('vanish', 3))


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.soak',
        description=__doc__ + ' tools/watch.py runs in a process of its own, beside a network '
        'camera that shows a belt with objects of the sample photos in real time.',
        example='python -m benchmarks.soak model.onnx --minutes 120',
    )
    parser.add_argument('model', type=existing_file)
    parser.add_argument('--ann', type=existing_file, default=SAMPLES, help='labeled photos')
    parser.add_argument('--rate', type=positive_number, default=5, help='frames a second (5)')
    parser.add_argument('--minutes', type=positive_number, default=120, help='(120)')
    parser.add_argument(
        '--fault-every', type=positive_int, metavar='S', help='let the camera vanish or hang'
    )
    parser.add_argument(
        '--log', default='work_dirs/soak.jsonl', metavar='FILE', help='a line for each minute'
    )
    return parser


def run(args) -> None:
    """Start the camera and the watcher, and write a line a minute."""
    camera = BeltCamera(sample_belt(args.ann), args.rate)
    log = Path(args.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open(log, 'w', encoding='utf-8') as lines:
        command = [sys.executable, ROOT / 'tools' / 'watch.py', args.model, camera.url]
        command += ['--out', folder, '--video', Path(folder, 'seen.mp4'), '--video-mb', VIDEO_MB]
        watcher = subprocess.Popen([*map(str, command)])
        try:
            for line in minutes(args, camera, watcher, Path(folder, 'frames.jsonl')):
                lines.write(json.dumps(line) + '\n')
                lines.flush()
                print(line, flush=True)
        finally:
            watcher.terminate()
            watcher.wait()


def sample_belt(ann):
    """Return a belt with an object of each labeled photo that has one."""
    from mmseg_custom.classes import built_in
    from mmseg_custom.coco.labelled_set import labelled_samples
    from mmseg_custom.toy.belt import Belt, cut_out

    classes = built_in()
    return Belt(cut_out(labelled_samples(ann, classes), classes))


def minutes(args, camera: BeltCamera, watcher: subprocess.Popen, written: Path):
    """Yield what happened in each minute."""
    start, place, fault = time.monotonic(), 0, 0
    for minute in range(1, round(args.minutes) + 1):
        done = []
        while time.monotonic() < start + 60 * minute:
            if args.fault_every and time.monotonic() > start + args.fault_every * (fault + 1):
                done.append(disturb(camera, *FAULTS[fault % len(FAULTS)]))
                fault += 1
            if watcher.poll() is not None:
                raise RuntimeError(f'watch.py ended with exit code {watcher.returncode}')
            time.sleep(0.2)
        entries, place = new_lines(written, place)
        yield dict(
            minute=minute,
            memory_mb=round(resident_memory(watcher.pid), 1),
            disk_mb=round(sum(p.stat().st_size for p in written.parent.iterdir()) / 1e6, 1),
            faults=done,
            **describe(entries, camera, with_camera=not args.fault_every),
        )


def disturb(camera: BeltCamera, fault: str, seconds: float) -> str:
    """Let the camera vanish, or hang, and come back."""
    getattr(camera, fault)()
    time.sleep(seconds)
    if fault == 'hang':
        camera.vanish()
    camera.appear()
    return f'{fault} {seconds} s'


def new_lines(path: Path, place: int) -> tuple[list[dict], int]:
    """Return the lines that were written from a byte on, and the next byte."""
    if not path.is_file():
        return [], place
    # Continued in a new file: the end of the one before is left out.
    place = place if path.stat().st_size >= place else 0
    with open(path, encoding='utf-8') as file:
        file.seek(place)
        text = file.read()
    lines, _, _ = text.rpartition('\n')
    return [json.loads(line) for line in lines.splitlines()], place + len(lines) + bool(lines)


def describe(entries: list[dict], camera: BeltCamera, with_camera: bool) -> dict:
    """Return frames, latencies from the arrival of a frame on, and from the camera on."""
    if len(entries) < 2:
        return dict(frames=len(entries))
    result = dict(frames=len(entries), from_arrival=percentiles([e['latency'] for e in entries]))
    if with_camera:
        # Nothing was lost on the way, so that the numbers on both sides are the same.
        taken = [when for _, when in list(camera.sent)]
        ends = [(e, datetime.fromisoformat(e['time']).timestamp() + e['latency']) for e in entries]
        result['from_camera'] = percentiles([end - taken[e['frame']] for e, end in ends])
    return result | dict(counts=sum(entries[-1]['counts'].values()))


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum in milliseconds."""
    parts = statistics.quantiles(seconds, n=100, method='inclusive')
    numbers = dict(p50=parts[49], p99=parts[98], most=max(seconds))
    return {name: round(1000 * value, 1) for name, value in numbers.items()}


if __name__ == '__main__':
    cli.main(build_parser, run)
