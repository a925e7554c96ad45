"""Train a model on each fold, and measure all photos out of fold."""

from argparse import REMAINDER
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import data_folder, existing_file, natural_int, positive_int

TOOLS = Path(__file__).resolve().parent


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' The same command continues after a stop. Out of fold: each photo '
        'is measured with the last checkpoint of the model that was not trained on it; none is '
        'chosen by its score.',
        example='python tools/kfold_train.py configs/laptop_efflite0_trash.py '
        '--folds-dir data/recycle_trash/folds \\\n      --data-root data/recycle_trash '
        '--train-args --epochs 20',
    )
    parser.add_argument('config', type=existing_file, metavar='CONFIG', help='the experiment')
    cli.add_folds_dir(parser, 'folder that stratified_kfold.py wrote', required=True)
    parser.add_argument('--folds', nargs='+', type=natural_int, help='numbers of folds (all)')
    parser.add_argument('--data-root', type=data_folder, metavar='DIR', help='folder of the data')
    parser.add_argument('--out', default='work_dirs/kfold', metavar='DIR', help='(work_dirs/kfold)')
    parser.add_argument('--seed', type=natural_int, default=0, help='of everything random (0)')
    parser.add_argument('--jobs', type=positive_int, default=1, help='trainings at a time (1)')
    parser.add_argument('--gpus', type=positive_int, help='processes a training, by torchrun')
    parser.add_argument(
        '--train-args', nargs=REMAINDER, default=[], help='all that follows is passed to train.py'
    )
    return parser


def run(args) -> None:
    """Train what is not trained yet, measure, and print what follows."""
    from mmseg_custom.runs.fold_files import numbers_of_folds
    from mmseg_custom.runs.out_of_fold import out_of_fold
    from mmseg_custom.runs.train_command import split_options, train_command
    from mmseg_custom.runs.trials import plan_trials, run_trials
    from mmseg_custom.utils import write_json

    def command_of(trial) -> list[str]:
        root = ['--data-root', args.data_root] if args.data_root else []
        command = train_command(TOOLS, trial, args.gpus or 0)
        return [*command, *root, *split_options(trial, args.folds_dir), *args.train_args]

    out = Path(args.out)
    folds = numbers_of_folds(args.folds_dir, args.folds)
    trials = plan_trials([args.config], [args.seed], folds, out)
    run_trials(trials, command_of, args.jobs)
    measured = out_of_fold(trials)
    write_json(out / 'kfold.json', measured)
    for fold, model in zip(folds, measured['models'], strict=True):
        print(f'fold {fold}: mIoU {model["mIoU"]:6.2f}  {model["checkpoint"]}')
    print(f'out of fold, all photos together: mIoU {measured["mIoU"]:.2f}')
    print(commands(measured, out))


def commands(measured: dict, out: Path) -> str:
    """Return the commands that use the ensemble."""
    models = ' '.join(f'--model {model["checkpoint"]}' for model in measured['models'])
    return (
        f'wrote {out}/kfold.json; use the ensemble (PHOTOS: a folder or a COCO file):\n'
        f'  trash-seg ensemble predict PHOTOS {models} --out {out}/predicted\n'
        f'  trash-seg submit PHOTOS.json --masks {out}/predicted/masks --out {out}/submission.csv'
    )


if __name__ == '__main__':
    cli.main(build_parser, run)
