"""Make a model folder of a checkpoint, with its scores and card.

The folder can be uploaded to the Hugging Face Hub as it is, and stands for CONFIG CHECKPOINT in
every command.
"""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import data_file, existing_file


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/package_model.py work_dirs/laptop_efflite0_trash/iter_4000.pth '
        '--about about.md --measure data/recycle_trash/val.json --out weights/mine',
    )
    parser.add_argument(
        'checkpoint', type=existing_file, metavar='CHECKPOINT', help='that tools/train.py wrote'
    )
    parser.add_argument('--out', required=True, metavar='DIR', help='the model folder to write')
    parser.add_argument(
        '--about',
        type=existing_file,
        required=True,
        metavar='FILE',
        help='Markdown for the card: data, licenses, recipe, where the model fails',
    )
    parser.add_argument(
        '--measure',
        nargs='+',
        default=[],
        type=data_file,
        metavar='ANN',
        help='COCO files of photos that it was not trained on, to be measured for the card',
    )
    cli.add_class_map(parser)
    cli.add_trust_option(parser)
    cli.add_device(parser)
    return parser


def run(args) -> None:
    """Write the weights, measure what was written, and write the card."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.checkpoints.checkpoint import require_finite
    from mmseg_custom.checkpoints.model_folder import write_model_folder
    from mmseg_custom.checkpoints.safe_load import load_checkpoint
    from mmseg_custom.experiment.stored import published_experiment
    from mmseg_custom.prediction.model_card import model_card
    from mmseg_custom.prediction.model_scores import score_model
    from mmseg_custom.utils import atomic_path, write_json
    from mmseg_custom.utils.model_folder import CARD
    from mmseg_custom.utils.overwriting import refuse_overwriting

    out = Path(args.out)
    refuse_overwriting([out / CARD], [args.about])
    cli.trust_checkpoints(args, args.checkpoint)
    experiment = published_experiment(args.checkpoint)
    content = load_checkpoint(args.checkpoint)
    require_finite(args.checkpoint, content)
    size = write_model_folder(out, content, experiment)
    # What is measured is what is published, after its rounding.
    segmenter = TrashSegmenter.from_pretrained(out, device=args.device)
    scores = {path: score_model(segmenter, path, None, args.class_map) for path in args.measure}
    write_json(out / 'scores.json', {path: each.to_plain() for path, each in scores.items()})
    with atomic_path(out / CARD) as temporary:
        about = Path(args.about).read_text(encoding='utf-8')
        temporary.write_text(model_card(about, scores), encoding='utf-8')
    for path, each in scores.items():
        print(f'{path}: mIoU {each.miou:.1f}, foreground IoU {each.foreground_iou}')
    print(f'wrote {out}: {size / 1e6:.1f} MB')
    if not args.measure:
        print('no --measure: the card has no scores')


if __name__ == '__main__':
    cli.main(build_parser, run)
