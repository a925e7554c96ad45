"""Compare experiments over seeds and folds, and print one table."""

from argparse import REMAINDER
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, existing_file, natural_int, positive_int

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
    parser.add_argument('--seeds', nargs='+', type=natural_int, default=[0, 1, 2], help='(0 1 2)')
    cli.add_folds_dir(parser, 'folder that stratified_kfold.py wrote')
    parser.add_argument(
        '--folds', nargs='+', type=natural_int, help='numbers of folds (all in --folds-dir)'
    )
    parser.add_argument('--data-root', type=existing_dir, metavar='DIR', help='folder of the data')
    parser.add_argument(
        '--out',
        default='work_dirs/ablation',
        metavar='DIR',
        help='folder of the results, and of a work folder for each training (work_dirs/ablation)',
    )
    parser.add_argument(
        '--jobs', type=positive_int, default=1, help='trainings at the same time (1)'
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
    from mmseg_custom.runs.trials import plan_trials, run_trials, split_options, train_command
    from mmseg_custom.utils import write_json
    from mmseg_custom.visualization.ablation import draw_ablation

    def command_of(trial) -> list[str]:
        command = train_command(TOOLS, trial, args.gpus or 0, args.slurm)
        if args.data_root:
            command += ['--data-root', args.data_root]
        return [*command, *split_options(trial, args.folds_dir), *args.train_args]

    work_dir = Path(args.out)
    trials = plan_trials(args.configs, args.seeds, chosen_folds(args), work_dir)
    run_trials(trials, command_of, args.jobs)
    rows = summarize(trials)
    write_json(work_dir / 'ablation.json', rows)
    draw_ablation(work_dir / 'ablation.png', rows)
    print(tables(rows))
    print(f'{len(trials)} trainings; wrote {work_dir}/ablation.json and {work_dir}/ablation.png')


def chosen_folds(args) -> list:
    """Return the numbers of the folds to train on; ``[None]`` for the configs' own split."""
    from mmseg_custom.runs.fold_files import numbers_of_folds
    from mmseg_custom.utils import UserError

    if args.folds_dir:
        return numbers_of_folds(args.folds_dir, args.folds)
    if args.folds:
        raise UserError('--folds belongs to --folds-dir: say where the folds are')
    return [None]


def tables(rows: list[dict]) -> str:
    """Return the results as two tables, which are Markdown, too: the means, and the classes."""
    means = [['experiment', 'mIoU', 'gain', 's/iteration']]
    classes = [['IoU', *rows[0]['classes']]]
    for number, row in enumerate(rows):
        seconds = '-' if row['seconds'] is None else f'{row["seconds"]:.2f}'
        gain = f'{row["gain"]:+.2f}' if number else ''
        means.append([row['name'], f'{row["mean"]:.2f} ± {row["std"]:.2f}', gain, seconds])
        ious = ['-' if value is None else f'{value:.1f}' for value in row['per_class']]
        classes.append([row['name'], *ious])
    return f'{markdown(means)}\n\n{markdown(classes)}\n'


def markdown(lines: list[list[str]]) -> str:
    """Return a table with a heading, its first column to the left and the others to the right."""
    from prettytable import PrettyTable, TableStyle

    text = PrettyTable(lines[0])
    text.set_style(TableStyle.MARKDOWN)
    text.align = 'r'
    text.align[lines[0][0]] = 'l'
    text.add_rows(lines[1:])
    return str(text)


if __name__ == '__main__':
    cli.main(build_parser, run)
