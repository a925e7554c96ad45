"""What self-training gains: mIoU with 1/8 and 1/16 of the photos labeled.

For each seed other photos are labeled, and all arms share them. The teacher is trained on these
alone. Each arm continues from the teacher's weights for as many iterations again, with as many
labeled photos in each batch; `more` is that without any unlabeled photo. All are measured on the
fold that is held back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int, positive_number

CONFIG = 'configs/laptop_efflite0_trash.py'
PSEUDO = 'configs/laptop_efflite0_trash_pseudo_joint.py'
ONLINE = 'configs/laptop_efflite0_trash_online.py'
TEACHER, MORE = 'teacher', 'more'
# Arms with files of labels, by name: arguments of make_pseudo.py.
LABELING = {
    'pseudo 0.8': ['--threshold', '0.8'],
    'pseudo ensemble': ['--threshold', '0.8', '--tta', 'flip'],
    'pseudo 0.8 + CRF': ['--threshold', '0.8', '--crf', 'keep_small'],
    'pseudo class-balanced': ['--threshold', '0', '--class-balanced', '0.5'],
    'two rounds': ['--threshold', '0.8'],
}
ARMS = ('pseudo 0.8', 'online', 'pseudo ensemble', *list(LABELING)[2:])
MEMBERS = ('member 1', 'member 2')
FOLDS = 5


@dataclass(frozen=True)
class Study:
    """What all trainings have in common.

    Attributes:
        ann: COCO file of the labeled set.
        classes: Class list, or None.
        out: Folder of the trainings.
        iterations: Of the teacher, and of each arm after it.
        size: Longer side of the photos in pixels.
        amp: Half precision.
        frozen: Train the head alone, on features that are computed once for each photo.
        tool: Runs a tool in a process; see :meth:`benchmarks.steps.Tools.run`.
    """

    ann: str
    classes: str | None
    out: Path
    iterations: int
    size: int
    amp: bool
    frozen: bool
    tool: Callable

    def folder(self, part: int, seed: int, name: str = '') -> Path:
        """Return the folder of a training: of the photos one in ``part`` is labeled."""
        return self.out / f'1_{part}' / f'seed_{seed}' / name.replace(' ', '_')

    def checkpoint(self, part: int, seed: int, name: str) -> Path:
        """Return the checkpoint that a training ends with."""
        stem = 'teacher' if name == 'online' else f'iter_{self.iterations}'
        return self.folder(part, seed, name) / f'{stem}.pth'


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.second_round',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.second_round data/garbage6_160/annotations.json --jobs 4',
    )
    parser.add_argument('ann', type=existing_file, metavar='ANN', help='COCO file of a labeled set')
    cli.add_classes_option(parser)
    parser.add_argument('--parts', nargs='+', type=positive_int, default=[8, 16], metavar='N')
    parser.add_argument('--seeds', type=positive_int, default=5, help='number of seeds (5)')
    parser.add_argument('--first-seed', type=cli.natural_int, default=0, help='the first one (0)')
    parser.add_argument('--arms', nargs='+', choices=ARMS, default=list(ARMS), metavar='NAME')
    parser.add_argument('--iterations', type=positive_int, default=400, help='of a round (400)')
    parser.add_argument('--size', type=positive_int, default=160, help='of the photos (160)')
    parser.add_argument(
        '--frozen', action='store_true', help='train heads alone, without augmentation: on a CPU'
    )
    parser.add_argument('--amp', action='store_true', help='half precision')
    parser.add_argument('--jobs', type=positive_int, default=1, help='processes at once (1)')
    parser.add_argument('--seconds', type=positive_number, help='begin nothing after so many')
    parser.add_argument('--report', action='store_true', help='only write the tables')
    parser.add_argument('--out', default='work_dirs/second_round', help='folder of the trainings')
    parser.add_argument(
        '--json',
        default='benchmarks/results/second_round.json',
        help='scores; a table (.md) and a picture (.png) are beside it',
    )
    return parser


def run(args) -> None:
    """Run what is not done, one arm of all seeds after the other, and write the tables."""
    import sys
    import time

    from mmseg_custom.utils import write_json

    from .second_round_arms import run_step, steps_of
    from .second_round_report import collect, write_report
    from .steps import Steps, Tools

    out, began = Path(args.out), time.monotonic()
    tools = Tools()
    study = Study(
        args.ann,
        args.classes,
        out,
        args.iterations,
        args.size,
        args.amp,
        args.frozen,
        tools.run,
    )
    steps = Steps(args.jobs)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    for name, part, seed, after in steps_of(args.arms, args.parts, seeds):

        def step(name=name, part=part, seed=seed) -> None:
            late = args.seconds and time.monotonic() - began > args.seconds
            run_step(study, name, part, seed, bool(late))

        steps.add(f'1/{part} {seed} {name}', step, [f'1/{part} {seed} {each}' for each in after])
    if not args.report:
        failed = steps.run(
            lambda name: print(f'{time.monotonic() - began:5.0f} s  {name}', flush=True)
        )
        tools.close()
        for name, why in failed.items():
            print(f'{name}: {why}', file=sys.stderr)
    settings = dict(iterations=args.iterations, size=args.size, frozen=args.frozen)
    scores = collect(study, args.parts)
    write_json(args.json, dict(settings=settings, scores=scores))
    print(write_report(scores, args.json))


if __name__ == '__main__':
    cli.main(build_parser, run)
