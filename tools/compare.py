"""Compare trainings in one HTML page: scores, curves, configs."""

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/compare.py work_dirs/a work_dirs/b --out work_dirs/compare.html',
    )
    parser.add_argument(
        'work_dirs',
        nargs='+',
        type=existing_dir,
        metavar='WORK_DIR',
        help='where tools/train.py wrote',
    )
    parser.add_argument('--out', required=True, metavar='FILE', help='HTML page to write')
    return parser


def run(args) -> None:
    """Read the logs and write the page."""
    from mmseg_custom.runs.run_comparison import compare_runs
    from mmseg_custom.visualization.pages.comparison_page import write_comparison_page

    comparison = compare_runs(args.work_dirs)
    write_comparison_page(args.out, comparison)
    print(f'{len(args.work_dirs)} trainings compared: open {args.out}')


if __name__ == '__main__':
    cli.main(build_parser, run)
