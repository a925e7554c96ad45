"""Serve a model over HTTP: POST /segment, GET /health and /metrics."""

from mmseg_custom import cli
from mmseg_custom.cli import positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python apps/serve.py configs/upernet_swin_toy.py work_dirs/demo/iter_800.pth\n'
        "  curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' "
        "'http://127.0.0.1:8000/segment?format=png' > mask.png",
    )
    cli.add_model(parser)
    cli.add_classes_option(parser)
    parser.add_argument('--host', default='127.0.0.1', help='address (127.0.0.1: this machine)')
    parser.add_argument('--port', type=positive_int, default=8000, help='port (8000)')
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
        '--max-waiting', type=positive_int, default=256, help='photos in the queue; more: 503 (256)'
    )
    return parser


def run(args) -> None:
    """Serve until stopped."""
    from mmseg_custom.utils.extras import needing

    with needing('fastapi, uvicorn or prometheus_client', 'app'):
        import uvicorn

        from mmseg_custom.serving.api import create_app
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.serving.upload import Limits

    million = 1_000_000
    limits = Limits(args.max_megabytes * million, args.max_megapixels * million, args.max_side)
    cli.trust_checkpoints(args, args.checkpoint)
    segmenter = TrashSegmenter(
        args.config, args.checkpoint, args.device, classes=cli.given_classes(args)
    )
    app = create_app(segmenter, limits, args.max_batch, args.max_waiting)
    # Whoever is neither decoded nor waiting holds a connection and some kilobytes only.
    uvicorn.run(app, host=args.host, port=args.port, limit_concurrency=4 * args.max_waiting)


if __name__ == '__main__':
    cli.main(build_parser, run)
