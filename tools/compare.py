"""Compare trainings: one HTML page of their scores, curves and the differences of their configs."""

import trash_cli
from trash_cli import existing_dir


def build_parser() -> trash_cli.Parser:
    """Describe the command line."""
    parser = trash_cli.Parser(
        description=__doc__,
        example='python tools/compare.py work_dirs/a work_dirs/b --out work_dirs/compare.html',
    )
    parser.add_argument(
        'work_dirs', nargs='+', type=existing_dir, help='where tools/train.py wrote'
    )
    parser.add_argument('--out', required=True, help='the page to write')
    return parser


def run(args) -> None:
    """Read the logs and write the page."""
    from mmseg_custom.apis.run_comparison import compare_runs
    from mmseg_custom.visualization.comparison_page import write_comparison_page

    comparison = compare_runs(args.work_dirs)
    write_comparison_page(args.out, comparison)
    print(f'{len(args.work_dirs)} trainings compared: open {args.out}')


if __name__ == '__main__':
    trash_cli.main(build_parser, run)
