"""Serve a web page that segments a photo and names the bins."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int

RULES = [str(Path(__file__).parent / 'rules' / f'{name}.yaml') for name in ('en', 'ko')]


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' A camera works on this machine, or behind HTTPS.',
        example='python apps/sorting_guide.py configs/upernet_swin_toy.py '
        'work_dirs/demo/iter_800.pth',
    )
    cli.add_model(parser)
    cli.add_classes_option(parser)
    parser.add_argument(
        '--rules',
        nargs='+',
        type=existing_file,
        default=RULES,
        metavar='YAML',
        help='a page each, the first is the start page (apps/rules/en.yaml apps/rules/ko.yaml)',
    )
    parser.add_argument(
        '--make-rules',
        metavar='YAML',
        help="write rules for the model's classes, to be completed by hand, and exit",
    )
    parser.add_argument('--host', default='127.0.0.1', help='address (127.0.0.1: this machine)')
    parser.add_argument('--port', type=positive_int, default=7860, help='port (7860)')
    cli.add_device(parser)
    parser.add_argument(
        '--max-side', type=positive_int, default=512, help='larger photos are shrunk to it (512)'
    )
    return parser


def run(args) -> None:
    """Serve until stopped."""
    from mmseg_custom.utils import UserError, atomic_path
    from mmseg_custom.utils.extras import needing

    with needing('gradio', 'app'):
        from mmseg_custom.serving.guide_page import build_guide, launch_options
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.serving.rules import make_rules, read_rules
    from mmseg_custom.serving.upload import Limits

    cli.trust_checkpoints(args, args.checkpoint)
    segmenter = TrashSegmenter(
        args.config, args.checkpoint, args.device, classes=cli.given_classes(args)
    )
    if args.make_rules:
        with atomic_path(args.make_rules) as temporary:
            temporary.write_text(make_rules(segmenter.classes, args.rules[0]), encoding='utf-8')
        print(f'wrote {args.make_rules}; complete it, then give it to --rules')
        return
    rules = [read_rules(path, segmenter.classes) for path in args.rules]
    languages = [each.language for each in rules]
    if len(set(languages)) < len(languages):
        raise UserError(f'--rules: languages {", ".join(languages)}: a page each, so each once')
    limits = Limits(max_side=args.max_side)
    guide = build_guide(segmenter, rules, limits, refine)
    try:
        guide.launch(server_name=args.host, server_port=args.port, **launch_options(limits))
    except OSError as error:
        raise UserError(
            f'{args.host}:{args.port}: cannot serve there ({error}); take another --port'
        ) from error


def refine(photo, probabilities):
    """Let the outlines follow the photo's edges; imported when it is first asked for."""
    from mmseg_custom.postprocess.dense_crf import DenseCrf

    return DenseCrf()(photo, probabilities)


if __name__ == '__main__':
    cli.main(build_parser, run)
