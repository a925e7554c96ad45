"""Whether choosing what to label next beats chance: mIoU over the number of labeled photos.

Each run labels photos in rounds and trains a head from scratch after each of them
(:mod:`benchmarks.frozen_head`). All methods start a seed with the same random photos and are
measured on the same photos, which are never labeled.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int

# Measure of uncertainty or None, class-aware, and how the chosen ones are made different.
METHODS: dict[str, tuple[str | None, bool, str]] = {
    'entropy': ('entropy', False, 'none'),
    'margin': ('margin', False, 'none'),
    'disagreement': ('disagreement', False, 'none'),
    'core-set': (None, False, 'core-set'),
    'clusters': (None, False, 'clusters'),
    'class-aware entropy, core-set': ('entropy', True, 'core-set'),
    'class-aware entropy, clusters': ('entropy', True, 'clusters'),
}
RANDOM = 'random'
TEST_FRACTION = 1 / 3


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.next_photos',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.next_photos data/garbage6/annotations.json --seeds 3',
    )
    parser.add_argument('ann', type=existing_file, metavar='ANN', help='COCO file of a labeled set')
    parser.add_argument('--seeds', type=positive_int, default=3, help='number of seeds (3)')
    parser.add_argument(
        '--methods',
        nargs='+',
        choices=METHODS,
        default=list(METHODS),
        metavar='NAME',
        help=f'only some of {"; ".join(METHODS)} (all)',
    )
    parser.add_argument('--rounds', type=positive_int, default=5, help='after the first photos (5)')
    parser.add_argument('--number', type=positive_int, default=20, help='photos a round (20)')
    parser.add_argument('--iterations', type=positive_int, default=200, help='of a training (200)')
    parser.add_argument(
        '--out', default='work_dirs/next_photos.json', help='raw numbers; a table is beside it'
    )
    return parser


def run(args) -> None:
    """Run what is not done, seed by seed, and write the table."""
    from .frozen_head import load_frozen_set, quiet, train_head
    from .studies import continued

    quiet()
    settings = dict(rounds=args.rounds, number=args.number, iterations=args.iterations)
    runs = [(seed, name) for seed in range(args.seeds) for name in (RANDOM, *args.methods)]
    data = load_frozen_set(args.ann)
    train = cache(
        lambda seed, places: train_head(data, data.labels, places, seed, args.iterations, 1)
    )
    curves = continued(
        args.out,
        settings,
        runs,
        lambda seed, name: learning_curve(data, name, seed, args.rounds, args.number, train),
    )
    print(write_table(curves, Path(args.out).with_suffix('.md')))


def learning_curve(
    data, method: str, seed: int, rounds: int, number: int, train: Callable
) -> list[float]:
    """Return the mIoU, in percent, after each round.

    Args:
        data: What :func:`~benchmarks.frozen_head.load_frozen_set` returned.
        method: A key of ``METHODS``, or random.
        seed: Of the split, of the first photos and of the trainings.
        rounds: After the first photos.
        number: First photos, and photos of a round.
        train: Returns the head of a seed and of the photos at a tuple of places.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(data.samples)).tolist()
    tested = order[: round(len(order) * TEST_FRACTION)]
    pool = order[len(tested) :]
    labeled, pool = pool[:number], pool[number:]
    curve = []
    for round_number in range(rounds + 1):
        head = train(seed, tuple(labeled))
        curve.append(mean_iou(data, head, tested))
        if round_number < rounds:
            chosen = choose(data, head, pool, labeled, method, number)
            labeled += [pool[place] for place in chosen]
            pool = [photo for place, photo in enumerate(pool) if place not in set(chosen)]
    return curve


def choose(data, head, pool: list[int], labeled: list[int], method: str, number: int) -> list[int]:
    """Return places of the pool, which is in random order."""
    import numpy as np

    from mmseg_custom.labeling.diversity import choose_photos, k_center
    from mmseg_custom.labeling.uncertainty import photo_scores, photo_uncertainty

    from .frozen_head import probabilities

    if method == RANDOM:
        return list(range(number))
    measure, class_aware, diversity = METHODS[method]
    features, known = data.pooled[pool], data.pooled[labeled]
    scores = np.ones(len(pool))
    if measure is not None:
        views = (0, 1) if measure == 'disagreement' else (0,)
        of_views = (np.stack([probabilities(head, data, p, view) for view in views]) for p in pool)
        found = [photo_uncertainty(members, measure) for members in of_views]
        scores = photo_scores(found, class_aware)
    elif diversity == 'core-set':
        return k_center(features, number, known)
    return choose_photos(scores, number, range(len(pool)), diversity, features, known)


def mean_iou(data, head, places: list[int]) -> float:
    """Return the mIoU of photos, in percent."""
    import numpy as np

    from mmseg_custom.evaluation.confusion import class_ious, confusion_matrix

    from .frozen_head import probabilities

    number = len(data.classes)
    total = sum(
        confusion_matrix(
            data.labels[place],
            probabilities(head, data, place).argmax(axis=0).astype(np.uint8),
            number,
        )
        for place in places
    )
    return float(100 * np.nanmean(class_ious(total)))


def area_under(curve: list[float]) -> float:
    """Return the area under a curve, divided by its length: the mean mIoU of the rounds."""
    import numpy as np

    return float(np.trapezoid(curve) / (len(curve) - 1))


def write_table(curves: dict[tuple[int, str], list[float]], path: Path) -> str:
    """Write the comparison as Markdown, and return it."""
    import numpy as np

    from mmseg_custom.utils import atomic_path
    from mmseg_custom.utils.tables import markdown

    from .studies import interval

    lines = [['method', 'seeds', 'mean mIoU', 'mIoU at the end', 'gain over random', '95 %']]
    for name in (RANDOM, *METHODS):
        seeds = sorted(seed for seed, method in curves if method == name)
        if not seeds:
            continue
        areas = np.array([area_under(curves[seed, name]) for seed in seeds])
        gains = areas - [area_under(curves[seed, RANDOM]) for seed in seeds]
        last = np.mean([curves[seed, name][-1] for seed in seeds])
        gain, limits = '', ''
        if name != RANDOM:
            low, high = interval(gains)
            gain, limits = f'{gains.mean():+.2f}', f'{low:+.2f} to {high:+.2f}'
        numbers = [str(len(seeds)), f'{areas.mean():.2f}', f'{last:.2f}']
        lines.append([name, *numbers, gain, limits])
    text = markdown(lines)
    with atomic_path(path) as temporary:
        temporary.write_text(text + '\n', encoding='utf-8')
    return text


if __name__ == '__main__':
    cli.main(build_parser, run)
