"""Train a model from a config."""

import argparse

from mmseg_custom import cli
from mmseg_custom.cli import (
    existing_file,
    natural_int,
    positive_int,
    positive_int_or_auto,
    positive_number,
)


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/train.py configs/upernet_swin_toy.py --epochs 5 --batch-size 4',
    )
    parser.add_argument('config', type=existing_file, help='the experiment')
    parser.add_argument('--work-dir', help='where to write (default: work_dirs/<config name>)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CKPT',
        help='continue from the latest checkpoint in the work folder, or from CKPT',
    )
    parser.add_argument(
        '--allow-changes',
        action='store_true',
        help='resume although the experiment is not what the checkpoint was trained with',
    )
    parser.add_argument(
        '--allow-leak',
        action='store_true',
        help='train although validation photos are among the training photos',
    )
    parser.add_argument('--epochs', type=positive_int, help='train this many times over the data')
    parser.add_argument(
        '--lr-factor', type=positive_number, metavar='F', help='multiply the learning rate by F'
    )
    parser.add_argument(
        '--batch-size',
        type=positive_int_or_auto,
        metavar='N',
        help='photos per process and iteration; auto: as many as fit, accumulated to the batch '
        'that the schedule is for',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action=argparse.BooleanOptionalAction,
        help='fit learning rate and length to the total batch (on in tools/dist_train.sh)',
    )
    parser.add_argument(
        '--max-hours',
        type=positive_number,
        metavar='H',
        help='stop after H hours with a checkpoint, as SIGTERM does (exit code 124); '
        '--resume continues',
    )
    parser.add_argument('--data-root', help='folder of the data')
    cli.add_ann_option(parser, '--train-json', 'annotations to train on')
    cli.add_ann_option(parser, '--val-json', 'annotations to validate on')
    cli.add_training_options(parser)
    parser.add_argument(
        '--loss',
        type=cli.named_part('losses', or_file=True),
        metavar='NAME',
        help=f'loss of every head: {cli.list_parts("losses")}',
    )
    cli.add_augmentation(parser)
    parser.add_argument('--seed', type=natural_int, help='seed of everything random')
    parser.add_argument(
        '--deterministic', action='store_true', help='deterministic algorithms only (slower)'
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        default=None,
        help='half precision (on a GPU the baseline has it on already; on a CPU: bfloat16, if the '
        'chip has it)',
    )
    parser.add_argument('--no-amp', dest='amp', action='store_false', help='float32 on a GPU too')
    parser.add_argument(
        '--no-pretrained', action='store_true', help='start from random weights, load none'
    )
    cli.add_trust_option(parser)
    cli.add_class_options(parser)
    cli.add_config_options(parser)
    return parser


def run(args) -> None:
    """Build the experiment, train, and name what comes next."""
    from mmengine.device import is_cuda_available

    from mmseg_custom.apis import train
    from mmseg_custom.experiment.build import build_experiment
    from mmseg_custom.experiment.launch import is_first_process

    cfg = build_experiment(args)
    if not is_cuda_available() and is_first_process():
        print('no GPU: training on the CPU', flush=True)
    cli.trust_checkpoints(args, cfg.work_dir, *filter(None, (args.resume, cfg.load_from)))
    train(cfg, args.resume, args.allow_changes, args.allow_leak)
    if is_first_process():
        print(next_steps(cfg.work_dir))


def next_steps(work_dir: str) -> str:
    """Return where the best checkpoint is, and the commands that use it."""
    from mmseg_custom.runs.run_folder import best_checkpoint

    checkpoint, score = best_checkpoint(work_dir)
    measured = '' if score is None else f' (mIoU {score:.2f} %)'
    return (
        f'best checkpoint: {checkpoint}{measured}\n'
        f'look at it:      trash-seg report {work_dir}\n'
        f'measure it:      trash-seg test {checkpoint}\n'
        f'use it:          trash-seg predict {checkpoint} PHOTOS --out DIR'
    )


if __name__ == '__main__':
    cli.main(build_parser, run)
