"""Write an HTML page of a set's photos, filtered by class, fold and IoU."""

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, positive_int

SIDE = 160
# A page of so many is about 50 MB, which a browser opens in two seconds.
COUNT = 5000


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/browse.py data/toy_trash/val.json '
        '--predictions work_dirs/predicted/masks --out work_dirs/browse.html',
    )
    cli.add_ann(parser, 'COCO files; each of several can be chosen on the page', several=True)
    parser.add_argument('--out', required=True, metavar='FILE', help='HTML page to write')
    cli.add_data_root(parser)
    cli.add_class_options(parser)
    cli.add_folds_dir(
        parser, 'filter by the kfold_0_val.json, … there, which the one file was split into'
    )
    parser.add_argument(
        '--predictions',
        metavar='DIR',
        type=existing_dir,
        help='predicted masks: DIR/masks of tools/predict.py or tools/test.py',
    )
    parser.add_argument(
        '--side', type=positive_int, default=SIDE, help=f'of the pictures, in pixels ({SIDE})'
    )
    parser.add_argument(
        '--count',
        type=positive_int,
        default=COUNT,
        help=f'photos in the page at most; of more, evenly spaced ones ({COUNT})',
    )
    return parser


def run(args) -> int:
    """Read the photos and write the page."""
    from mmseg_custom.coco.labelled_set import open_set
    from mmseg_custom.coco.result_photos import require_masks_of
    from mmseg_custom.utils.overwriting import refuse_overwriting
    from mmseg_custom.visualization.pages.data_browser import browser_entries, write_data_browser

    data, classes, _ = open_set(
        args.ann, args.classes, args.class_map, args.data_root, args.folds_dir
    )
    refuse_overwriting([args.out], [*args.ann, *(sample['img_path'] for sample in data.samples)])
    total = len(data.samples)
    data = data.evenly(args.count)
    if total > args.count:
        print(f'of {total} photos the page has {args.count}, evenly spaced: --count takes more')
    if args.predictions:
        photos = {sample['file_name']: sample['img_path'] for sample in data.samples}
        require_masks_of(args.predictions, classes, photos)
    data, skipped = data.readable()
    score = scorer(len(classes)) if args.predictions else None
    entries = browser_entries(
        data.samples, data.group_of, args.side, classes, args.predictions, score
    )
    title = ', '.join(args.ann)
    write_data_browser(args.out, entries, data.groups, title, classes, total - len(skipped))
    if args.predictions:
        number = sum(entry['prediction'] is not None for entry in entries)
        print(f'{number} of {len(entries)} photos have a prediction')
    print(f'{len(entries)} photos: open {args.out}')
    cli.report_skipped(skipped, len(entries) + len(skipped))
    return int(bool(skipped))


def scorer(num_classes: int):
    """Return the function that gives the IoU of each class; it alone takes torch."""
    from mmseg_custom.evaluation.confusion import confusion_matrix
    from mmseg_custom.evaluation.photo_tally import score_photo

    return lambda truth, prediction, name: (
        score_photo(confusion_matrix(truth, prediction, num_classes, name)).class_ious
    )


if __name__ == '__main__':
    cli.main(build_parser, run)
