"""Flicker, accuracy in motion and counts of a camera over a belt, with and without smoothing."""

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int

from .soak import ROOT

SAMPLES = ROOT / 'samples' / 'recycle_trash'
# Frames before the average over time has settled do not count; the camera's frames a second.
SETTLED, RATE = 5, 5
# What is seen of a photo, as a fraction of its sides; pixels that it moves by in a frame; the most
# frames of a photo.
SEEN, STEPS, MOST = 0.7, (2, 8, 32), 20


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.live',
        description=__doc__ + ' Still scenes: photos with the noise of a camera. Moving scenes: '
        'a window that moves over photos, and a belt with an object of each photo. Goals: flicker '
        'at least 5 times lower, and at most a point of mIoU lost in motion.',
        example='python -m benchmarks.live model.onnx',
    )
    parser.add_argument('model', nargs='+', help='as for tools/watch.py')
    parser.add_argument(
        '--ann', type=existing_file, default=SAMPLES / 'val.json', help='of still and moving scenes'
    )
    parser.add_argument(
        '--belt', type=existing_file, default=SAMPLES / 'train_all.json', help='of the belt'
    )
    parser.add_argument('--frames', type=positive_int, default=20, help='of a still scene (20)')
    parser.add_argument('--out', default='work_dirs/live.json', metavar='FILE')
    cli.add_trust_option(parser)
    cli.add_device(parser)
    return parser


def run(args) -> None:
    """Measure, print and write."""
    from mmseg_custom.coco.labelled_set import labelled_samples
    from mmseg_custom.coco.photos import read_photo
    from mmseg_custom.utils import write_json

    segmenter = cli.load_segmenter(args, args.model, probabilities=True)
    photos = [
        (np.ascontiguousarray(read_photo(one['img_path'])[..., ::-1]), labels_of(one, segmenter))
        for one in labelled_samples(args.ann, segmenter.classes)
    ]
    measured = dict(
        still=measure_still(segmenter, photos, args.frames),
        moving=measure_moving(segmenter, photos),
        belt=measure_belt(segmenter, args.belt),
    )
    write_json(args.out, measured)
    print(json.dumps(measured, indent=1))


def labels_of(sample: dict, segmenter) -> np.ndarray:
    """Return the ``(H, W)`` uint8 labels of a photo."""
    from mmseg_custom.coco.masks import sample_mask

    return sample_mask(sample, Path(), segmenter.classes)


def seen(segmenter, frames: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the mask of each frame, without and with smoothing."""
    from mmseg_custom.live import TemporalSmoothing

    smoothing = TemporalSmoothing()
    for frame in frames:
        raw = segmenter.batch([frame])[0].probabilities
        yield raw.argmax(0).astype(np.uint8), smoothing(frame, raw).argmax(0).astype(np.uint8)


def measure_still(segmenter, photos, frames: int) -> dict:
    """Return the fraction of pixels that change class from frame to frame, over all photos."""
    from mmseg_custom.toy.belt import noisy

    changes: list[list[float]] = [[], []]
    for place, (photo, _) in enumerate(photos):
        scene = (noisy(photo, (place, number)) for number in range(frames))
        for kind, masks in enumerate(zip(*seen(segmenter, scene), strict=True)):
            changes[kind] += [np.mean(a != b) for a, b in pairwise(masks[SETTLED:])]
    raw, smoothed = (float(np.mean(values)) for values in changes)
    return dict(flicker=raw, smoothed=smoothed, ratio=raw / max(smoothed, 1e-9))


def pan(photo: np.ndarray, labels: np.ndarray, step: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield frame and labels of a window that moves over a photo, to the right and down."""
    from mmseg_custom.toy.belt import noisy

    height, width = (int(SEEN * side) for side in labels.shape)
    room = min(labels.shape[0] - height, labels.shape[1] - width)
    for number in range(min(room // step, MOST)):
        start = number * step
        place = np.s_[start : start + height, start : start + width]
        yield noisy(photo[place], number), labels[place]


def measure_moving(segmenter, photos) -> dict:
    """Return the mIoU of moving windows, by pixels that they move by in a frame."""
    result = {}
    for step in STEPS:
        scenes = [list(pan(photo, labels, step)) for photo, labels in photos]
        result[f'{step}_pixels'] = accuracy(segmenter, scenes)
    return result


def accuracy(segmenter, scenes: list[list[tuple[np.ndarray, np.ndarray]]]) -> dict:
    """Return mIoU in points over the classes that occur, without and with smoothing."""
    from mmseg_custom.evaluation.mask_scores import MaskScores

    scores = [MaskScores(len(segmenter.classes)) for _ in range(2)]
    for scene in scenes:
        for (_, labels), masks in zip(scene, seen(segmenter, [f for f, _ in scene]), strict=True):
            for score, mask in zip(scores, masks, strict=True):
                score.add(labels, mask)
    raw, smoothed = (100 * score.result()['mIoU'] for score in scores)
    return dict(mIoU=raw, smoothed=smoothed, lost=raw - smoothed)


def measure_belt(segmenter, ann) -> dict:
    """Return what is counted on one turn of a belt: from its true masks, and from the model's."""
    from mmseg_custom.live import BeltCounter

    from .soak import sample_belt

    belt = sample_belt(ann)
    scene = [belt.frame(number) for number in range(belt.frames)]
    true, found = BeltCounter(segmenter.classes), BeltCounter(segmenter.classes)
    for number, masks in enumerate(seen(segmenter, [frame for frame, _ in scene])):
        true.update(np.ascontiguousarray(scene[number][1]), number / RATE)
        found.update(masks[1], number / RATE)
    truth = belt.counts(segmenter.classes)
    return dict(
        truth=truth,
        counted_of_true_masks=true.counts,
        counted=found.counts,
        objects=truth.total(),
        counted_objects=found.counts.total(),
        wrong_class_or_twice=(found.counts - truth).total(),
        missed_or_wrong_class=(truth - found.counts).total(),
    )


if __name__ == '__main__':
    cli.main(build_parser, run)
