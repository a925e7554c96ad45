"""Run rounds of training and pseudo-labeling."""

import shlex
import sys
from argparse import REMAINDER
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, existing_file, natural_int, positive_int

TOOLS = Path(__file__).resolve().parent


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Ends when a round gains nothing on the validation set. The same '
        'command continues after a stop.',
        example='python tools/self_train.py configs/upernet_swin_trash.py '
        'configs/upernet_swin_trash_pseudo.py \\\n      data/recycle_trash/test.json '
        '--label-args "--tta flip --crf --threshold 0.9" --train-args --batch-size 4',
    )
    parser.add_argument('config', type=existing_file, metavar='CONFIG', help='the first round')
    parser.add_argument(
        'pseudo_config', type=existing_file, metavar='PSEUDO_CONFIG', help='the rounds after it'
    )
    parser.add_argument('input', metavar='INPUT', help='photos to label: a COCO file or a folder')
    cli.add_data_root(parser, 'folder that file names in a COCO file INPUT are relative to')
    parser.add_argument(
        '--first-round', type=existing_dir, help='work folder of a first round, if it is trained'
    )
    parser.add_argument('--rounds', type=positive_int, default=3, help='rounds at most (3)')
    parser.add_argument(
        '--min-gain', type=float, default=0.1, help='mIoU in percent that a round has to gain (0.1)'
    )
    parser.add_argument(
        '--out',
        default='work_dirs/self_train',
        metavar='DIR',
        help='folder of the rounds (work_dirs/self_train)',
    )
    parser.add_argument('--seed', type=natural_int, default=0, help='of everything random (0)')
    parser.add_argument('--gpus', type=positive_int, help='processes, by torchrun')
    cli.add_class_options(parser)
    parser.add_argument(
        '--label-args',
        type=shlex.split,
        default=[],
        metavar='"…"',
        help='arguments of make_pseudo.py, in quotes',
    )
    parser.add_argument(
        '--train-args', nargs=REMAINDER, default=[], help='all that follows is passed to train.py'
    )
    return parser


def run(args) -> None:
    """Run the rounds and report."""
    from mmseg_custom.prediction.photo_sources import folder_of
    from mmseg_custom.pseudo.self_training import Plan, self_train
    from mmseg_custom.runs.train_command import train_command

    plan = Plan(
        config=args.config,
        pseudo_config=args.pseudo_config,
        data_root=folder_of(args.input, args.data_root),
        work_dir=Path(args.out),
        rounds=args.rounds,
        min_gain=args.min_gain,
        seed=args.seed,
        first_round=args.first_round and Path(args.first_round),
    )

    def train(trial) -> list[str]:
        classes = ['--classes', args.classes] if args.classes else []
        classes += ['--class-map', args.class_map] if args.class_map else []
        return [*train_command(TOOLS, trial, args.gpus or 0), *classes, *args.train_args]

    def label(checkpoint: str, folder: Path) -> list[str]:
        return label_command(args, checkpoint, folder)

    rounds = self_train(plan, train, label)
    for one in rounds:
        print(f'round {one.number}: mIoU {one.miou:6.2f}  {one.checkpoint}')
    best = max(rounds, key=lambda one: one.miou)
    print(f'best: {best.checkpoint}')


def label_command(args, checkpoint: str, folder: Path) -> list[str]:
    """Return the command line that labels.

    A checkpoint knows its experiment, which after the first round is not that of CONFIG. A first
    round from before checkpoints carried one needs CONFIG.
    """
    from mmseg_custom.experiment.stored import has_experiment

    model = [checkpoint] if has_experiment(checkpoint) else [args.config, checkpoint]
    if args.gpus:
        start = ['bash', str(TOOLS / 'dist_make_pseudo.sh'), *model, str(args.gpus)]
    else:
        start = [sys.executable, str(TOOLS / 'make_pseudo.py'), *model]
    root = ['--data-root', args.data_root] if args.data_root else []
    return [*start, args.input, '--out', str(folder), *root, *args.label_args]


if __name__ == '__main__':
    cli.main(build_parser, run)
