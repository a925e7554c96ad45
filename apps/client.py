"""Ask a running server what is in photos (standard library only)."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file

TYPES = {'.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.png': 'image/png', '.webp': 'image/webp'}
SECONDS = 300


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__, example='python apps/client.py photo.jpg --each object'
    )
    parser.add_argument('photos', nargs='+', type=existing_file, metavar='PHOTO')
    parser.add_argument(
        '--server', default='http://127.0.0.1:8000', help='address (http://127.0.0.1:8000)'
    )
    parser.add_argument(
        '--each', choices=('class', 'object'), default='class', help='what to list (class)'
    )
    parser.add_argument('--api-key', metavar='KEY', help='sent as X-API-Key')
    return parser


def run(args) -> None:
    """Print a line per photo and one per class, or object, in it."""
    for path in args.photos:
        answer = ask(args.server, path, args.each, args.api_key)
        print(f'{path}: {answer["width"]}x{answer["height"]}')
        for found in answer['found']:
            left, top, width, height = map(int, found['bbox'])
            print(
                f'  {found["category"]}: {found["area_share"]:.1%} of the photo, confidence '
                f'{found["confidence"]:.2f}, {width}x{height} pixels at {left}, {top}'
            )


def ask(server: str, path: str, each: str = 'class', key: str | None = None) -> dict:
    """Send a photo and return the answer.

    Args:
        server: Address.
        path: The photo.
        each: ``'class'`` or ``'object'``.
        key: API key, where the server needs one.

    Raises:
        UserError: The server refuses the photo, or is not there.
    """
    from mmseg_custom.utils import UserError

    headers = {'Content-Type': TYPES.get(Path(path).suffix.lower(), 'image/jpeg')}
    if key:
        headers['X-API-Key'] = key
    content = Path(path).read_bytes()
    request = urllib.request.Request(f'{server}/segment?each={each}', content, headers)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise UserError(f'{path}: {json.load(error)["detail"]}') from None
    except (OSError, ValueError) as error:
        raise UserError(f'{server}: does not answer ({error})') from None


if __name__ == '__main__':
    cli.main(build_parser, run)
