"""Combine models: vote, search the weights, or average checkpoints."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, natural_int, positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/ensemble.py vote data/test.json --members work_dirs/a work_dirs/b '
        '--out work_dirs/voted\n  python tools/ensemble.py search data/val.json '
        '--members work_dirs/a work_dirs/b\n  python tools/ensemble.py predict photos '
        '--model A.py A.pth --model B.py B.pth --out work_dirs/voted\n  '
        'python tools/ensemble.py average A.pth B.pth --out soup.pth',
    )
    commands = parser.add_subparsers(dest='command', required=True)
    add_vote(commands.add_parser('vote', help='vote with saved probabilities'))
    add_search(commands.add_parser('search', help='search the weights of highest mIoU'))
    add_predict(commands.add_parser('predict', help='predict photos with several models'))
    add_average(commands.add_parser('average', help='average checkpoints of one model (a soup)'))
    return parser


def add_vote(parser) -> None:
    """Describe ``vote``."""
    add_inputs(parser)
    add_members(parser)
    add_output(parser)


def add_search(parser) -> None:
    """Describe ``search``."""
    cli.add_ann(parser, 'COCO file of the photos and their labels')
    add_members(parser)
    cli.add_data_root(parser)
    cli.add_class_options(parser)
    parser.add_argument('--trials', type=positive_int, default=200, help='weights to try (200)')
    parser.add_argument('--seed', type=natural_int, default=0, help='of the search (0)')
    parser.add_argument('--out', metavar='FILE', help='JSON file of the weights and scores')


def add_predict(parser) -> None:
    """Describe ``predict``."""
    add_inputs(parser)
    cli.add_models(parser, required=True)
    cli.add_trust_option(parser)
    parser.add_argument('--batch-size', type=positive_int, default=4, help='photos at once (4)')
    cli.add_device(parser)
    add_output(parser)


def add_average(parser) -> None:
    """Describe ``average``."""
    parser.add_argument(
        'checkpoints',
        nargs='+',
        type=cli.model_file,
        metavar='CHECKPOINT',
        help='.pth or .safetensors files',
    )
    parser.add_argument('--weights', nargs='+', type=float, help='one a checkpoint (all equal)')
    parser.add_argument('--out', required=True, metavar='FILE', help='.pth file to write')
    cli.add_trust_option(parser)


def add_inputs(parser) -> None:
    """Add the positional photos."""
    parser.add_argument(
        'inputs', nargs='+', metavar='INPUT', help='photos, folders, COCO files, videos'
    )


def add_members(parser) -> None:
    """Add the ensemble members whose probabilities are saved."""
    parser.add_argument(
        '--members',
        nargs='+',
        required=True,
        type=existing_dir,
        metavar='DIR',
        help='--out folders of tools/predict.py --probabilities',
    )


def add_output(parser) -> None:
    """Add what voting has in common."""
    parser.add_argument('--weights', nargs='+', type=float, help='one a member (all equal)')
    parser.add_argument('--hard', action='store_true', help='one vote a pixel and member')
    cli.add_prediction_outputs(parser)
    cli.add_classes_option(parser)
    cli.add_data_root(parser, 'folder that file names in a COCO file are relative to')
    cli.add_tta_and_crf(parser)
    cli.add_continue_options(parser)


def run(args) -> int | None:
    """Do what was asked for."""
    commands = dict(vote=vote, search=search, predict=predict, average=average)
    return commands[args.command](args)


def vote(args) -> int:
    """Vote with saved probabilities."""
    from mmseg_custom.apis.ensemble import checked_weights
    from mmseg_custom.coco.result_classes import write_classes
    from mmseg_custom.prediction.outputs import write_coco
    from mmseg_custom.prediction.pre_labels import write_predicted
    from mmseg_custom.prediction.voted import Voters, finish_photos
    from mmseg_custom.utils import UserError

    if args.tta:
        raise UserError('--tta: these photos are predicted already; give it to predict')
    photos = photos_of(args)
    weights = checked_weights(args.weights, len(args.members))
    voters = Voters(args.members, weights, args.hard, cli.given_classes(args))
    voters.require(photo.name for photo in photos)
    outputs = outputs_of(args, photos, voters.origins(), voters.sources_of)
    if outputs is None:
        return 0
    write_classes(outputs.folder, voters.classes, replace=True)
    skipped = finish_photos(photos, voters, outputs)
    target = write_coco(photos, outputs, voters.classes)
    write_predicted(photos, target, voters.classes, args.labels_as, args.simplify)
    print(f'{len(photos) - len(skipped)} photos voted on; wrote {outputs.folder}')
    cli.report_skipped(skipped, len(photos))
    return int(bool(skipped))


def search(args) -> None:
    """Search the weights."""
    from mmseg_custom.coco.ann_files import annotation_files
    from mmseg_custom.coco.class_map import with_class_map
    from mmseg_custom.prediction.voted import Voters, read_truths
    from mmseg_custom.utils import UserError, write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting

    try:
        from mmseg_custom.prediction.weight_search import search_weights
    except ImportError:
        raise UserError('search needs Optuna: pip install -e ".[crf]"') from None
    refuse_overwriting([args.out] if args.out else [], annotation_files(args.ann))
    voters = Voters(args.members, [1.0] * len(args.members), given=cli.given_classes(args))
    truths = read_truths(args.ann, with_class_map(voters.classes, args.class_map), args.data_root)
    voters.require(truths)
    found = search_weights(args.members, truths, args.trials, args.seed, voters.classes)
    for member, score in zip(args.members, found['alone'], strict=True):
        print(f'{100 * score:6.2f}  {member} alone')
    print(f'{100 * found["equal"]:6.2f}  equal weights')
    print(f'{100 * found["best"]:6.2f}  --weights {" ".join(map(str, found["weights"]))}')
    if args.out:
        write_json(args.out, dict(members=args.members, **found))


def predict(args) -> int:
    """Predict with all models at once."""
    from mmseg_custom.apis.ensemble import build_segmenter
    from mmseg_custom.coco.result_classes import write_classes
    from mmseg_custom.prediction.outputs import write_coco
    from mmseg_custom.prediction.pre_labels import write_predicted
    from mmseg_custom.prediction.predict import predict_photos
    from mmseg_custom.prediction.results import photo_itself

    photos = photos_of(args)
    cli.trust_checkpoints(args, *(checkpoint for _, checkpoint in args.model))
    segmenter = build_segmenter(
        args.model, args.weights, args.device, args.tta, args.hard, cli.given_classes(args)
    )
    made_from = dict(segmenter.made_from, batch_size=args.batch_size)
    outputs = outputs_of(args, photos, made_from, photo_itself)
    if outputs is None:
        return 0
    write_classes(outputs.folder, segmenter.classes, replace=True)
    skipped = predict_photos(segmenter, photos, outputs, args.batch_size)
    target = write_coco(photos, outputs, segmenter.classes)
    write_predicted(photos, target, segmenter.classes, args.labels_as, args.simplify)
    print(f'{len(photos) - len(skipped)} photos predicted; wrote {outputs.folder}')
    cli.report_skipped(skipped, len(photos))
    return int(bool(skipped))


def average(args) -> None:
    """Average checkpoints."""
    from mmseg_custom.apis.ensemble import checked_weights
    from mmseg_custom.checkpoints.average import average_checkpoints, save_average
    from mmseg_custom.utils.overwriting import refuse_overwriting

    refuse_overwriting([args.out], args.checkpoints)
    weights = checked_weights(args.weights, len(args.checkpoints))
    cli.trust_checkpoints(args, *args.checkpoints)
    save_average(args.out, average_checkpoints(args.checkpoints, weights))
    print(f'averaged {len(weights)} checkpoints; wrote {args.out}: measure it with tools/test.py')


def photos_of(args):
    """List the photos."""
    from mmseg_custom.prediction.photo_sources import list_photos

    return list_photos(args.inputs, args.data_root, outputs=[args.out])


def outputs_of(args, photos, members: dict, sources_of):
    """Return where to write, after a look at what is there already; None after a dry run."""
    from mmseg_custom.experiment.tta import read_crf
    from mmseg_custom.postprocess import DenseCrf
    from mmseg_custom.prediction.outputs import Outputs
    from mmseg_custom.prediction.results import continue_results
    from mmseg_custom.utils.overwriting import refuse_overwriting
    from mmseg_custom.utils.provenance import FILE, Provenance

    crf = read_crf(args.crf) if args.crf else None
    refine, scores = crf and DenseCrf(**crf), bool(args.labels_as)
    outputs = Outputs(Path(args.out), args.overlays, args.probabilities, refine, scores)
    inputs = [*args.inputs, *(source for photo in photos for source in sources_of(photo))]
    refuse_overwriting(outputs.paths_of(photos), inputs)
    made_from = dict(members, crf=crf)
    provenance = Provenance(outputs.folder / FILE, f'ensemble {args.command}', made_from)
    options = cli.continue_options(args)
    go_on = continue_results(provenance, outputs, photos, sources_of, **options)
    return outputs if go_on else None


if __name__ == '__main__':
    cli.main(build_parser, run)
