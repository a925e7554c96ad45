"""Segment a camera or a video as it comes, and count objects."""

import signal
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int, share

LOOPBACK = '127.0.0.1'
# Frames a second of a video file without time stamps.
NO_TIMES_RATE = 25
# A camera that was not even tried for so long hangs, in seconds: systemd is not notified any more.
HANGING_SECONDS = 60


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Writes one JSON line a frame: areas by class, objects with ids, '
        'counts by class of those that passed the line. Ctrl-C ends it. A camera that goes away is '
        'opened again when it is back.',
        example='python tools/watch.py model.onnx 0 --out work_dirs/belt --page',
    )
    parser.add_argument(
        'arguments',
        nargs='+',
        metavar='MODEL SOURCE',
        help='an .onnx file, CHECKPOINT, CONFIG CHECKPOINT or a model folder; then a camera (0, '
        '/dev/video0), an address (rtsp://…) or a video file',
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder to write to: DIR/frames.jsonl, of a '
        'camera at most 5 files of 10 MB'
    )  # fmt: skip
    parser.add_argument(
        '--video',
        metavar='FILE',
        help='also write the frames with their masks: FILE.mp4, of a camera FILE-000001.mp4 …',
    )
    parser.add_argument(
        '--video-mb',
        type=positive_int,
        default=500,
        metavar='MB',
        help='of the video of a camera, the oldest is deleted (500)',
    )
    parser.add_argument('--frames', type=positive_int, help='end after this many')
    parser.add_argument(
        '--smoothing',
        type=share,
        default=0.15,
        metavar='WEIGHT',
        help='weight of a new frame where nothing moves; 1: no smoothing (0.15)',
    )
    parser.add_argument(
        '--line', type=share, default=0.5, help='where objects are counted, from 0 to 1 (0.5)'
    )
    parser.add_argument(
        '--along', choices=('x', 'y'), default='x', help='the axis along which the belt runs (x)'
    )
    parser.add_argument(
        '--page', action='store_true', help='serve a page with the live picture and the counts'
    )
    cli.add_address(parser, 8080)
    parser.add_argument(
        '--keys',
        type=existing_file,
        metavar='FILE',
        help='passwords of the page, one a line; needed for a --host that others reach',
    )
    cli.add_trust_option(parser)
    cli.add_device(parser)
    return parser


def run(args) -> None:
    """Segment frame after frame, of a camera the newest each time."""
    from mmseg_custom.live import BeltCounter, TemporalSmoothing
    from mmseg_custom.live.lines import Lines
    from mmseg_custom.live.recording import annotated
    from mmseg_custom.live.service_manager import ServiceManager
    from mmseg_custom.live.slow_frames import SlowFrames
    from mmseg_custom.utils import UserError
    from mmseg_custom.utils.likeliest import likeliest

    if not args.smoothing:
        raise UserError('--smoothing 0 would never see a new frame; 1 is no smoothing')
    *model, source = args.arguments
    if not model:
        raise UserError('MODEL or SOURCE is missing: watch.py MODEL SOURCE')
    manager = ServiceManager()
    with ExitStack() as stack:
        listener = stack.enter_context(listening(args))
        is_camera = not Path(source).is_file()
        frames = video_frames(source)
        if is_camera:
            frames = stack.enter_context(camera_frames(source, manager))
        segmenter = cli.load_segmenter(args, model, probabilities=True)
        classes = segmenter.classes
        smoothing = TemporalSmoothing(args.smoothing)
        counter = BeltCounter(classes, args.line, 'xy'.index(args.along))
        show = stack.enter_context(page(args, listener, classes))
        lines = Lines(Path(args.out, 'frames.jsonl'), is_camera, say)
        record = stack.enter_context(recording(args, is_camera))
        slow = SlowFrames(say)
        stack.enter_context(ending_on_signals())
        manager.ready(f'watching {source}')
        done = 0
        for number, frame, came, seconds in frames:
            slow.begin(number, came)
            probabilities = smoothing(frame, segmenter.batch([frame])[0].probabilities)
            mask = likeliest(probabilities)
            slow.done('model')
            objects = counter.update(mask, seconds)
            slow.done('counting')
            lines.write(number, came, mask, objects, counter)
            slow.done('line')
            draw = partial(annotated, frame, mask, objects, counter)
            record(draw, seconds)
            slow.done('video')
            show(draw, counter.counts, came)
            slow.end()
            done += 1
            manager.alive(f'{done} frames, {counter.counts.total()} objects counted')
            if done == args.frames:
                break
    manager.stopping()
    counts = ', '.join(f'{name} {count}' for name, count in counter.counts.items()) or 'nothing'
    dropped = getattr(frames, 'dropped', 0)
    print(f'{done} frames, {dropped} dropped; counted: {counts}; wrote {args.out}/frames.jsonl')


def say(text: str) -> None:
    """Print a line at once, also where the output is a file."""
    print(text, flush=True)


def video_frames(source: str):
    """Yield each frame of a video file."""
    from mmseg_custom.live import LiveFrame
    from mmseg_custom.prediction.video import Video

    video = Video(Path(source))
    for frame in video.frames:
        seconds = frame.number / NO_TIMES_RATE if frame.seconds is None else frame.seconds
        yield LiveFrame(frame.number, video.read(frame.place), time.monotonic(), seconds)


@contextmanager
def camera_frames(source: str, manager):
    """Give an iterable of the newest frames of a camera."""
    from mmseg_custom.live import Camera, LatestFrames

    camera = Camera(source, say)

    def on_wait() -> None:
        # One that is away is tried again and again; one whose driver hangs is not.
        if time.monotonic() - camera.tried_at < HANGING_SECONDS:
            manager.alive(f'no frames from {source}')

    frames = LatestFrames(camera.read, on_wait)
    try:
        yield frames
    finally:
        camera.close()
        frames.close()


@contextmanager
def ending_on_signals():
    """Let Ctrl-C, and SIGTERM as well, end what is inside, and continue behind it."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def recording(args, is_camera: bool):
    """Give a function that adds what it draws to the video, if there is to be one."""
    from mmseg_custom.live.recording import Recording, RecordingParts
    from mmseg_custom.utils import atomic_path

    if args.video is None:
        yield lambda draw, seconds: None
        return
    with ExitStack() as stack:
        if is_camera:
            video = RecordingParts(Path(args.video), args.video_mb * 1_000_000, say)
        else:
            video = Recording(Path(stack.enter_context(atomic_path(args.video))))
        stack.callback(video.close)
        yield lambda draw, seconds: video.add(draw(), seconds)


@contextmanager
def listening(args):
    """Give a socket for the page, None without one."""
    from mmseg_custom.utils import UserError
    from mmseg_custom.utils.extras import needing

    if not args.page:
        if args.keys or args.host != LOOPBACK:
            raise UserError('--host and --keys are for the page: add --page')
        yield None
        return
    with needing('starlette or uvicorn', 'live'):
        from mmseg_custom.live.guard import is_loopback
        from mmseg_custom.serving.server import listen
    if not args.keys and not is_loopback(args.host):
        raise UserError(
            f'{args.host}: whoever reaches this address would see the camera', kind='open-camera'
        )
    with listen(args.host, args.port) as listener:
        yield listener


@contextmanager
def page(args, listener, classes):
    """Serve the page; give a function that shows a frame on it."""
    if listener is None:
        yield lambda draw, counts, came: None
        return
    from mmseg_custom.live.page import LivePicture, create_page, serving
    from mmseg_custom.serving.access import read_keys

    live = LivePicture()
    keys = read_keys(args.keys) if args.keys else ()
    with serving(create_page(live, classes, 'The belt', keys, args.host), live, listener):
        say(f'the live picture is on http://{args.host}:{listener.getsockname()[1]}')
        yield live.show


if __name__ == '__main__':
    cli.main(build_parser, run)
