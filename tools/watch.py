"""Segment a camera or a video as it comes, and count objects."""

import json
import logging
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import positive_int, share

# Lines of results on the disk, at most: files of this many bytes.
FILE_SIZE, FILES = 10_000_000, 5
VIDEO_RATE = 10
# Frames a second of a video file without time stamps.
NO_TIMES_RATE = 25
WHITE = (255, 255, 255)


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Writes one JSON line a frame: areas by class, objects with ids, '
        'counts by class of those that passed the line. Ctrl-C ends it.',
        example='python tools/watch.py model.onnx 0 --out work_dirs/belt',
    )
    parser.add_argument(
        'arguments',
        nargs='+',
        metavar='MODEL SOURCE',
        help='an .onnx file, CHECKPOINT, CONFIG CHECKPOINT or a model folder; then a camera (0, '
        '/dev/video0), an address (rtsp://…) or a video file',
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder to write to: DIR/frames.jsonl, at most '
        f'{FILES} files of {FILE_SIZE // 1_000_000} MB'
    )  # fmt: skip
    parser.add_argument(
        '--video',
        metavar='FILE',
        help='also write the frames with their masks: .mp4, which grows for as long as it runs',
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
    cli.add_trust_option(parser)
    cli.add_device(parser)
    return parser


def run(args) -> None:
    """Segment frame after frame, of a camera the newest each time."""
    from mmseg_custom.live import BeltCounter, TemporalSmoothing
    from mmseg_custom.utils import UserError

    if not args.smoothing:
        raise UserError('--smoothing 0 would never see a new frame; 1 is no smoothing')
    *model, source = args.arguments
    if not model:
        raise UserError('MODEL or SOURCE is missing: watch.py MODEL SOURCE')
    frames = frames_of(source)
    segmenter = cli.load_segmenter(args, model, probabilities=True)
    smoothing = TemporalSmoothing(args.smoothing)
    counter = BeltCounter(segmenter.classes, args.line, 'xy'.index(args.along))
    lines = line_writer(Path(args.out, 'frames.jsonl'))
    done = 0
    with video_writer(args.video, counter.classes) as video, suppress(KeyboardInterrupt):
        for number, frame, came, seconds in frames:
            probabilities = smoothing(frame, segmenter.batch([frame])[0].probabilities)
            mask = probabilities.argmax(axis=0).astype('uint8')
            objects = counter.update(mask, seconds)
            lines.info(json.dumps(times(came) | entry(number, mask, objects, counter)))
            video(frame, mask, objects)
            done += 1
            if done == args.frames:
                break
    counts = ', '.join(f'{name} {count}' for name, count in counter.counts.items()) or 'nothing'
    dropped = getattr(frames, 'dropped', 0)
    print(f'{done} frames, {dropped} dropped; counted: {counts}; wrote {args.out}/frames.jsonl')


def frames_of(source: str):
    """Yield frames: of a file every one, of a camera the newest."""
    from mmseg_custom.live import Camera, LatestFrames, LiveFrame
    from mmseg_custom.prediction.video import Video

    if Path(source).is_file():
        video = Video(Path(source))
        return (
            LiveFrame(frame.number, video.read(frame.place), time.monotonic(), seconds_of(frame))
            for frame in video.frames
        )
    return LatestFrames(Camera(source, report=partial(print, flush=True)).read)


def seconds_of(frame) -> float:
    """Return when a frame of a video is shown."""
    return frame.number / NO_TIMES_RATE if frame.seconds is None else frame.seconds


def line_writer(path: Path) -> logging.Logger:
    """Return what writes lines to a file, and starts a new one before it grows too large."""
    from logging.handlers import RotatingFileHandler

    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=FILE_SIZE, backupCount=FILES - 1)
    lines = logging.Logger('frames')
    lines.addHandler(handler)
    return lines


def times(came: float) -> dict:
    """Return when a frame came, and the seconds from then until now."""
    seconds = time.monotonic() - came
    moment = datetime.now(timezone.utc) - timedelta(seconds=seconds)
    return dict(time=moment.isoformat(timespec='milliseconds'), latency=round(seconds, 4))


def entry(number: int, mask, objects, counter) -> dict:
    """Return what is written about one frame."""
    import numpy as np

    classes = counter.classes
    areas = np.bincount(mask.ravel(), minlength=256)[: len(classes)] / mask.size
    return dict(
        frame=number,
        areas={name: round(float(a), 4) for name, a in zip(classes.names, areas, strict=True) if a},
        objects=[
            dict(id=one.id, name=classes.names[one.label], box=one.box.astype(int).tolist())
            for one in objects
        ],
        counts=dict(counter.counts),
    )


@contextmanager
def video_writer(path: str | None, classes):
    """Give a function that adds a frame with its mask, boxes and ids to a video."""
    if path is None:
        yield lambda frame, mask, objects: None
        return
    import cv2

    from mmseg_custom.utils import atomic_path

    with atomic_path(path) as temporary:
        writers: list[cv2.VideoWriter] = []

        def add(frame, mask, objects) -> None:
            if not writers:
                size = frame.shape[1::-1]
                code = cv2.VideoWriter.fourcc(*'mp4v')
                writers.append(cv2.VideoWriter(str(temporary), code, VIDEO_RATE, size))
            writers[0].write(picture_of(frame, mask, objects, classes))

        try:
            yield add
        finally:
            for writer in writers:
                writer.release()


def picture_of(frame, mask, objects, classes):
    """Return ``(H, W, 3)`` uint8 BGR: a frame with its mask, and boxes and ids of its objects."""
    import cv2

    from mmseg_custom.visualization import overlay

    picture = overlay(frame, mask, classes)[..., ::-1].copy()
    for one in objects:
        left, top, right, bottom = one.box.astype(int).tolist()
        cv2.rectangle(picture, (left, top), (right, bottom), WHITE, 2)
        text = f'{one.id} {classes.names[one.label]}'
        cv2.putText(picture, text, (left + 4, top + 18), 0, 0.5, WHITE, 1, cv2.LINE_AA)
    return picture


if __name__ == '__main__':
    cli.main(build_parser, run)
