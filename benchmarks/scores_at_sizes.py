"""Write the scores of a checkpoint on labeled sets, with the photos at several sizes."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python benchmarks/scores_at_sizes.py',
        description=__doc__,
        example='python benchmarks/scores_at_sizes.py work_dirs/mine/iter_800.pth val.json '
        '--sizes 320 416 --out scores.json',
    )
    parser.add_argument('checkpoint', type=existing_file, metavar='CHECKPOINT')
    parser.add_argument('ann', nargs='+', type=existing_file, metavar='ANN', help='COCO files')
    parser.add_argument(
        '--sizes', nargs='+', type=positive_int, required=True, help='longer side of the photos'
    )
    parser.add_argument('--out', required=True, metavar='FILE', help='JSON file to write')
    return parser


def run(args) -> None:
    """Measure and write."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.experiment.stored import stored_experiment
    from mmseg_custom.prediction.model_scores import score_model
    from mmseg_custom.utils import write_json

    content: dict[str, dict] = {}
    for size in args.sizes:
        config = stored_experiment(args.checkpoint)
        config.test_dataloader.dataset.pipeline[1].scale = (size, size)
        segmenter = TrashSegmenter(config, args.checkpoint)
        content[str(size)] = {
            path: score_model(segmenter, path, None).to_plain() for path in args.ann
        }
    write_json(Path(args.out), content)


if __name__ == '__main__':
    cli.main(build_parser, run)
