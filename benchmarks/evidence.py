"""What each technique gains: write docs/evidence.md from the results of tools/ablate.py.

Confusion matrices of all trainings are kept in a file, from which the page is made again at any
time.
"""

import json
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / 'benchmarks' / 'results' / 'evidence.json'
ARMS = Path(__file__).with_suffix('.yaml')


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.evidence',
        description=__doc__.split('\n')[0],  # type: ignore[union-attr]
        example='python -m benchmarks.evidence work_dirs/frozen work_dirs/trained',
    )
    parser.add_argument(
        'out',
        nargs='*',
        type=existing_dir,
        metavar='DIR',
        help='output folder of ablate.py, named after its study in evidence.yaml, to add first',
    )
    parser.add_argument(
        '--results', default=RESULTS, metavar='FILE', help='raw results (the repository’s)'
    )
    parser.add_argument(
        '--page', default=ROOT / 'docs' / 'evidence.md', metavar='FILE', help='(docs/evidence.md)'
    )
    return parser


def run(args) -> None:
    """Add results, then write the page and its picture."""
    import yaml

    from mmseg_custom.utils import atomic_path

    from .evidence_page import page
    from .plot import draw_forest

    content = add_results(Path(args.results), [Path(folder) for folder in args.out])
    arms = yaml.safe_load(ARMS.read_text(encoding='utf-8'))
    text, rows = page(content, arms)
    path = Path(args.page)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')
    groups = {
        title: [(name, row.gain, row.interval) for name, row in pairs]
        for title, pairs in rows.items()
    }
    draw_forest(path.parent / 'images' / 'evidence.png', groups, 'gain in points of mIoU')
    print(f'wrote {path} and {path.parent}/images/evidence.png')


def add_results(path: Path, folders: list[Path]) -> dict:
    """Add the trainings in output folders of ablate.py to a file; return all of them.

    Args:
        path: JSON; ``classes``, and by study a list of trainings.
        folders: Each has the name of its study. A training that is in the file is replaced.
    """
    from mmseg_custom.utils import UserError, write_json

    from .evidence_results import read_trainings

    content = json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}
    for folder in folders:
        found, classes = read_trainings(folder)
        if not found:
            raise UserError(f'{folder}: has no finished training of ablate.py with folds')
        if content.setdefault('classes', classes) != classes:
            raise UserError(f'{folder}: has other classes than {path}')
        known = {identity(one): one for one in content.get(folder.name, [])}
        known |= {identity(one): one for one in found}
        content[folder.name] = list(known.values())
    if folders:
        write_json(path, content)
    return content


def identity(one: dict) -> tuple:
    """Return what makes a training the same one."""
    return one['arm'], one['fold'], one['seed'], one['lr_factor']


if __name__ == '__main__':
    cli.main(build_parser, run)
