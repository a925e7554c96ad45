"""Whether planted label errors are found: average precision by kind, against chance and cleanlab.

Heads are trained on the labels with the errors in them (:mod:`benchmarks.frozen_head`), and each
photo is judged by a head that was not trained on it. All rankings are of the same probabilities.
"""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, natural_int, positive_int

FRACTION = 0.1
SHOWN = 10


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.label_errors',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.label_errors data/garbage6/annotations.json --seeds 3',
    )
    parser.add_argument('ann', type=existing_file, metavar='ANN', help='COCO file of a labeled set')
    parser.add_argument('--seeds', type=positive_int, default=3, help='number of seeds (3)')
    parser.add_argument('--first-seed', type=natural_int, default=0, help='the first of them (0)')
    parser.add_argument('--folds', type=positive_int, default=4, help='number of folds (4)')
    parser.add_argument('--iterations', type=positive_int, default=200, help='of a training (200)')
    parser.add_argument(
        '--look', metavar='DIR', help='plant nothing: write the page of the worst real labels there'
    )
    parser.add_argument(
        '--out', default='work_dirs/label_errors.json', help='raw numbers; a table is beside it'
    )
    return parser


def run(args) -> None:
    """Run what is not done, and write the table."""
    from .frozen_head import load_frozen_set, quiet
    from .label_rankings import write_precisions, write_table
    from .planted_errors import KINDS, objects_of
    from .studies import continued

    quiet()
    data = load_frozen_set(args.ann)
    if args.look:
        look(data, args)
        return
    objects = objects_of(data)
    settings = dict(folds=args.folds, iterations=args.iterations, fraction=FRACTION)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    runs = [(seed, kind) for seed in seeds for kind in KINDS]
    found = continued(
        args.out, settings, runs, lambda seed, kind: measure(data, objects, kind, seed, args)
    )
    print(write_table(found, Path(args.out).with_suffix('.md'), seeds))
    write_precisions(found, Path(args.out).with_name('label_errors_precision.json'))


def look(data, args) -> None:
    """Judge the labels as they are, and write the page."""
    import cv2
    import numpy as np

    from mmseg_custom.apis.segmentation import Segmentation
    from mmseg_custom.coco import read_coco
    from mmseg_custom.labeling.judged import JudgedFiles, LabeledPhotos
    from mmseg_custom.labeling.label_page import write_label_page
    from mmseg_custom.labeling.suspects import worst
    from mmseg_custom.prediction.photo_sources import list_annotated

    found = out_of_fold(data, data.labels, args.folds, args.iterations, args.first_seed)
    photos = list_annotated(args.ann)
    names = {photo.name: photo.file_name for photo in photos}
    files = JudgedFiles(Path(args.look), LabeledPhotos(read_coco(args.ann), data.classes), names)
    judged = {}
    for photo, sample, small in zip(photos, data.samples, found, strict=True):
        size = sample['width'], sample['height']
        large = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_LINEAR) for one in small])
        mask = large.argmax(axis=0).astype(np.uint8)
        files.write(photo.name, small, Segmentation(mask, large, data.classes))
        judged[photo.file_name] = files.read(photo.name)
    by_name = {photo.file_name: photo for photo in photos}
    suspects = worst(judged, SHOWN, data.classes.background)
    page = files.folder / 'label_errors.html'
    write_label_page(page, files, suspects, by_name, len(photos))
    print(f'open {page}')


def measure(data, objects: list, kind: str, seed: int, args) -> dict:
    """Plant errors of a kind; return which photos have one, and their scores."""
    import numpy as np

    from .label_rankings import rankings
    from .planted_errors import plant

    changed, planted = plant(objects, kind, FRACTION, len(data.classes), seed)
    masks = np.stack([photo.mask(data.classes.unlabeled) for photo in changed])
    cache = Path(args.out).with_suffix('') / f'{kind}_{seed}.npz'
    if cache.is_file():
        probabilities = np.load(cache)['probabilities'].astype(np.float32)
    else:
        probabilities = out_of_fold(data, masks, args.folds, args.iterations, seed)
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, probabilities=probabilities.astype(np.float16))
    return dict(planted=planted.tolist(), **rankings(data, changed, masks, probabilities))


def out_of_fold(data, masks, folds: int, iterations: int, seed: int):
    """Return ``(N, C, H, W)`` float32 probabilities by heads that were not trained on the photo."""
    import numpy as np

    from .frozen_head import probabilities, train_head

    order = np.random.default_rng(seed).permutation(len(masks))
    result = np.zeros((len(masks), len(data.classes), *masks.shape[1:]), np.float32)
    for fold in range(folds):
        held = order[fold::folds]
        head = train_head(data, masks, np.setdiff1d(order, held), seed, iterations)
        for place in held:
            result[place] = probabilities(head, data, int(place))
    return result


if __name__ == '__main__':
    cli.main(build_parser, run)
