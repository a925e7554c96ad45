"""Serve a web page that segments a photo and names the bins."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int

RULES = [str(Path(__file__).parent / 'rules' / f'{name}.yaml') for name in ('en', 'ko')]


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' A camera works on this machine, or behind HTTPS.',
        example='python apps/sorting_guide.py weights/trash11',
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
    cli.add_address(parser, 7860)
    cli.add_device(parser)
    parser.add_argument(
        '--max-side', type=positive_int, default=512, help='larger photos are shrunk to it (512)'
    )
    parser.add_argument(
        '--examples',
        nargs='*',
        type=existing_file,
        metavar='PHOTO',
        help='photos to offer (three drawn ones; none after --examples: no photo)',
    )
    return parser


def run(args) -> None:
    """Write rules, or serve until stopped."""
    from mmseg_custom.utils.extras import needing

    with needing('fastapi, fastapi-offline, uvicorn or prometheus_client', 'app'):
        from mmseg_custom.serving.server import listen
    cli.trust_checkpoints(args, args.checkpoint)
    if args.make_rules:
        write_rules(args)
        return
    with listen(args.host, args.port) as listener:
        serve_page(args, listener)


def load_model(args):
    """Return the model."""
    from mmseg_custom.apis import TrashSegmenter

    classes = cli.given_classes(args)
    return TrashSegmenter(args.config, args.checkpoint, args.device, classes=classes)


def write_rules(args) -> None:
    """Write rules for the classes of the model."""
    from mmseg_custom.serving.rules import make_rules
    from mmseg_custom.utils import atomic_path

    text = make_rules(load_model(args).classes, args.rules[0])
    with atomic_path(args.make_rules) as temporary:
        temporary.write_text(text, encoding='utf-8')
    print(f'wrote {args.make_rules}; complete it, then give it to --rules')


def serve_page(args, listener) -> None:
    """Serve the pages of all languages."""
    from mmseg_custom.serving.guide import create_guide
    from mmseg_custom.serving.guide_page import draw_examples, read_examples
    from mmseg_custom.serving.rules import read_rules
    from mmseg_custom.serving.server import serve
    from mmseg_custom.serving.upload import Limits
    from mmseg_custom.utils import UserError

    segmenter, limits = load_model(args), Limits(max_side=args.max_side)
    rules = [read_rules(path, segmenter.classes) for path in args.rules]
    languages = [each.language for each in rules]
    if len(set(languages)) < len(languages):
        raise UserError(f'--rules: languages {", ".join(languages)}: a page each, so each once')
    given = args.examples
    examples = draw_examples() if given is None else read_examples(given, limits)
    serve(create_guide(segmenter, rules, refine, limits, examples=examples), listener)


def refine(photo, probabilities):
    """Let the outlines follow the photo's edges; imported when it is first asked for."""
    from mmseg_custom.postprocess.dense_crf import DenseCrf

    return DenseCrf()(photo, probabilities)


if __name__ == '__main__':
    cli.main(build_parser, run)
