"""Serve a model over HTTP: POST /segment and /segment/batch."""

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python apps/serve.py weights/trash11\n'
        "  curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' "
        "'http://127.0.0.1:8000/segment?format=png' > mask.png",
    )
    cli.add_model(parser)
    cli.add_classes_option(parser)
    cli.add_address(parser, 8000)
    cli.add_device(parser)
    parser.add_argument(
        '--max-side', type=positive_int, default=512, help='larger photos are shrunk to it (512)'
    )
    parser.add_argument(
        '--max-megabytes', type=positive_int, default=10, help='of a file; larger: 413 (10)'
    )
    parser.add_argument(
        '--max-megapixels', type=positive_int, default=25, help='of a photo; more: 413 (25)'
    )
    parser.add_argument('--max-batch', type=positive_int, default=8, help='photos in a pass (8)')
    parser.add_argument(
        '--max-memory',
        type=positive_int,
        default=256,
        metavar='MB',
        help='of uploads; beyond it requests wait in line, unread (256)',
    )
    parser.add_argument(
        '--max-waiting', type=positive_int, default=512, help='requests in line; more: 503 (512)'
    )
    parser.add_argument(
        '--decode-seconds', type=positive_int, default=10, help='to decode a photo; more: 413 (10)'
    )
    parser.add_argument(
        '--per-minute', type=positive_int, metavar='N', help='photos of one client; more: 429'
    )
    parser.add_argument(
        '--api-keys',
        type=existing_file,
        metavar='FILE',
        help='keys, one a line; a request needs one as X-API-Key, or it gets a 401',
    )
    return parser


def run(args) -> None:
    """Serve until stopped."""
    from mmseg_custom.utils.extras import needing

    with needing('fastapi, fastapi-offline, uvicorn or prometheus_client', 'app'):
        from mmseg_custom.serving.api import create_app
        from mmseg_custom.serving.server import listen, serve
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.serving.access import read_keys
    from mmseg_custom.serving.capacity import Capacity
    from mmseg_custom.serving.upload import Limits

    million = 1_000_000
    limits = Limits(args.max_megabytes * million, args.max_megapixels * million, args.max_side)
    capacity = Capacity(
        max_batch=args.max_batch,
        max_memory=args.max_memory * million,
        max_waiting=args.max_waiting,
        decode_seconds=args.decode_seconds,
        per_minute=args.per_minute,
    )
    keys = read_keys(args.api_keys) if args.api_keys else ()
    cli.trust_checkpoints(args, args.checkpoint)
    with listen(args.host, args.port) as listener:
        segmenter = TrashSegmenter(
            args.config, args.checkpoint, args.device, classes=cli.given_classes(args)
        )
        serve(create_app(segmenter, limits, capacity, keys), listener)


if __name__ == '__main__':
    cli.main(build_parser, run)
