"""What self-training gains where only the head is trained: dozens of seeds on one core.

The backbone is frozen (:mod:`benchmarks.frozen_head`). Each seed holds back a fifth of the photos
and labels others. The baseline and each arm take the same number of iterations with as many
labeled photos: the baseline trains once for twice as long, an arm trains a teacher and then a
student from scratch.
"""

from functools import cache

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.self_training_heads',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.self_training_heads data/garbage6_320/annotations.json',
    )
    parser.add_argument('ann', type=existing_file, metavar='ANN', help='COCO file of a labeled set')
    parser.add_argument('--parts', nargs='+', type=positive_int, default=[16, 8, 4], metavar='N')
    parser.add_argument('--seeds', type=positive_int, default=10, help='number of seeds (10)')
    parser.add_argument('--iterations', type=positive_int, default=200, help='of a head (200)')
    parser.add_argument(
        '--out',
        default='benchmarks/results/self_training_heads.json',
        help='raw numbers; a table (.md) and a picture (.png) are beside it',
    )
    return parser


def run(args) -> None:
    """Run what is not done, seed by seed, and write the table."""
    from .frozen_head import load_frozen_set, quiet
    from .second_round_report import write_report
    from .self_training_arms import ARMS, LARGER, MORE, ONLINE, TEACHER, Seed
    from .studies import continued

    quiet()
    data = cache(lambda: load_frozen_set(args.ann))
    larger = cache(lambda: load_frozen_set(args.ann, backbone='EfficientNetLite2'))
    names = (TEACHER, MORE, *ARMS, ONLINE, LARGER)
    runs = [
        (seed, f'1/{part} {name}')
        for seed in range(args.seeds)
        for part in args.parts
        for name in names
    ]
    settings = dict(iterations=args.iterations)
    study = cache(lambda part, seed: Seed(data(), larger, part, seed, args.iterations))

    def measure(seed: int, name: str) -> dict[str, float]:
        part, _, arm = name.removeprefix('1/').partition(' ')
        return study(int(part), seed).measure(arm)

    found = continued(args.out, settings, runs, measure)
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for (seed, name), result in found.items():
        part, _, arm = name.partition(' ')
        scores.setdefault(part, {}).setdefault(arm, {})[str(seed)] = result['mIoU']
    print(write_report(scores, args.out))


if __name__ == '__main__':
    cli.main(build_parser, run)
