"""Compare experiments over seeds and folds, and print one table."""

from argparse import REMAINDER
from collections.abc import Callable
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import (
    data_folder,
    existing_file,
    natural_int,
    positive_int,
    positive_number,
)

TOOLS = Path(__file__).resolve().parent


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' The first experiment is what the others are compared with. What is '
        'finished is not run again, so that the same command continues after a stop.',
        example='python tools/ablate.py configs/laptop_efflite0_trash.py '
        'configs/laptop_copy_paste.py --seeds 0 1 2 \\\n      --folds-dir data/recycle_trash/folds '
        '--data-root data/recycle_trash --train-args --epochs 20',
    )
    parser.add_argument(
        'configs', nargs='+', type=existing_file, metavar='CONFIG', help='the experiments'
    )
    parser.add_argument(
        '--variants',
        type=existing_file,
        metavar='FILE',
        help='YAML of more experiments: a name, and the arguments of train.py that make it of the '
        'first one, such as "focal: --loss focal"',
    )
    parser.add_argument(
        '--lr-factors',
        nargs='+',
        type=positive_number,
        metavar='F',
        help='try these factors of the learning rate with the first seed; each fold takes the one '
        'that is best on the other folds',
    )
    parser.add_argument(
        '--lr-folds',
        type=positive_int,
        metavar='N',
        help='try --lr-factors on the first N folds only, at least two (all)',
    )
    parser.add_argument(
        '--cache-features',
        action='store_true',
        help='train the head alone, without augmentation, on features that are computed once: for '
        'what changes the loss, the sampling or the optimizer',
    )
    parser.add_argument('--seeds', nargs='+', type=natural_int, default=[0, 1, 2], help='(0 1 2)')
    cli.add_folds_dir(parser, 'folder that stratified_kfold.py wrote')
    parser.add_argument(
        '--folds', nargs='+', type=natural_int, help='numbers of folds (all in --folds-dir)'
    )
    parser.add_argument('--data-root', type=data_folder, metavar='DIR', help='folder of the data')
    parser.add_argument(
        '--out',
        default='work_dirs/ablation',
        metavar='DIR',
        help='folder of the results, and of a work folder for each training (work_dirs/ablation)',
    )
    parser.add_argument(
        '--jobs', type=positive_int, default=1, help='trainings at the same time (1)'
    )
    parser.add_argument(
        '--keep-going',
        action='store_true',
        help='when a training fails, run the others; its learning rate or experiment is left out',
    )
    parser.add_argument('--gpus', type=positive_int, help='processes a training, by torchrun')
    parser.add_argument('--slurm', metavar='PARTITION', help='train on a Slurm cluster')
    parser.add_argument(
        '--train-args', nargs=REMAINDER, default=[], help='all that follows is passed to train.py'
    )
    return parser


def run(args) -> None:
    """Run what is not done, then report."""
    from mmseg_custom.runs.ablation import summarize
    from mmseg_custom.runs.train_command import split_options, train_command
    from mmseg_custom.runs.trials import plan_trials
    from mmseg_custom.utils import write_json
    from mmseg_custom.visualization.ablation import draw_ablation

    features = ['--option', 'frozen_features', 'cached_samples', '--augmentation', 'none']

    def command_of(trial) -> list[str]:
        command = train_command(TOOLS, trial, args.gpus or 0, args.slurm)
        if args.data_root:
            command += ['--data-root', args.data_root]
        command += features if args.cache_features else []
        return [*command, *split_options(trial, args.folds_dir), *args.train_args]

    work_dir = Path(args.out)
    variants = read_variants(args.variants) if args.variants else {}
    trials = plan_trials(args.configs, args.seeds, chosen_folds(args), work_dir, variants)
    trials = complete(run_all(trials, args, command_of))
    rows = summarize(trials)
    write_json(work_dir / 'ablation.json', rows)
    draw_ablation(work_dir / 'ablation.png', rows)
    print(tables(rows))
    print(f'{len(trials)} trainings; wrote {work_dir}/ablation.json and {work_dir}/ablation.png')


def run_all(trials: list, args, command_of: Callable) -> list:
    """Run all trials; return those that count, each with the learning rate of its fold."""
    from mmseg_custom.runs.lr_factors import choose_factors, with_factors
    from mmseg_custom.runs.trials import run_trials

    options = dict(jobs=args.jobs, warm=not (args.gpus or args.slurm), keep_going=args.keep_going)
    if not args.lr_factors:
        run_trials(trials, command_of, **options)
        return trials
    folds = list(dict.fromkeys(trial.fold for trial in trials))
    first = [t for t in trials if t.seed == args.seeds[0] and t.fold in folds[: args.lr_folds]]
    tried = with_factors(first, args.lr_factors)
    run_trials(tried, command_of, **options)
    chosen = choose_factors(tried, folds)
    counting = [one for t in trials for one in with_factors([t], [chosen[t.name, t.fold]])]
    run_trials(counting, command_of, **options)
    return counting


def complete(trials: list) -> list:
    """Return the trials of experiments without a failed training; name the others."""
    failed = {trial.name for trial in trials if trial.result() is None}
    for name in sorted(failed):
        print(f'{name}: left out, since trainings failed')
    return [trial for trial in trials if trial.name not in failed]


def read_variants(path: str) -> dict[str, list[str]]:
    """Return the arguments of each variant by its name."""
    import shlex

    import yaml

    from mmseg_custom.utils import UserError

    with open(path, encoding='utf-8') as file:
        content = yaml.safe_load(file)
    if not isinstance(content, dict) or not all(
        isinstance(text, str) and '/' not in str(name) for name, text in content.items()
    ):
        raise UserError(f'{path}: is not "name: arguments of train.py", a line for each variant')
    return {str(name): shlex.split(text) for name, text in content.items()}


def chosen_folds(args) -> list:
    """Return the numbers of the folds to train on; ``[None]`` for the configs' own split."""
    from mmseg_custom.runs.fold_files import numbers_of_folds
    from mmseg_custom.utils import UserError

    if args.folds_dir:
        folds = numbers_of_folds(args.folds_dir, args.folds)
        if args.lr_factors and min(len(folds), args.lr_folds or len(folds)) < 2:
            raise UserError('--lr-factors chooses on other folds: take at least two')
        return folds
    if args.lr_factors:
        raise UserError('--lr-factors chooses on other folds: name them with --folds-dir')
    if args.folds:
        raise UserError('--folds belongs to --folds-dir: say where the folds are')
    return [None]


def tables(rows: list[dict]) -> str:
    """Return the results as two tables, which are Markdown, too: the means, and the classes."""
    from mmseg_custom.utils.tables import markdown

    means = [['experiment', 'mIoU', 'gain', '95 % interval', 'lr', 's/iteration']]
    classes = [['IoU', *rows[0]['classes']]]
    for number, row in enumerate(rows):
        seconds = '-' if row['seconds'] is None else f'{row["seconds"]:.2f}'
        gain = f'{row["gain"]:+.2f}' if number else ''
        limits = row['interval'] if number else None
        interval = f'{limits[0]:+.2f} to {limits[1]:+.2f}' if limits else ''
        factors = ' '.join(f'{factor:g}' for factor in row['lr_factors'].values())
        score = f'{row["mean"]:.2f} ± {row["std"]:.2f}'
        means.append([row['name'], score, gain, interval, factors, seconds])
        ious = ['-' if value is None else f'{value:.1f}' for value in row['per_class']]
        classes.append([row['name'], *ious])
    return f'{markdown(means)}\n\n{markdown(classes)}\n'


if __name__ == '__main__':
    cli.main(build_parser, run)
