"""Choose from a pool of photos those to label next."""

from argparse import BooleanOptionalAction
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, positive_int

MEASURES = ('entropy', 'margin', 'disagreement')
SIDE = 300
LIST, PAGE = 'next_photos.csv', 'next_photos.html'


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Writes DIR/next_photos.csv (the list), DIR/next_photos.html (a '
        'page), and the predictions to correct: DIR/predictions.json (COCO) and DIR/masks. '
        'Near-duplicates are chosen once. The same command continues after a stop; another '
        'choice reuses what was computed.',
        example='python tools/next_photos.py weights/trash11 data/pool --labeled data/train.json '
        '--number 100 \\\n      --out work_dirs/next',
    )
    cli.add_model(parser)
    parser.add_argument('pool', metavar='POOL', help='photos to choose from: a folder or COCO file')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder to write to')
    parser.add_argument('--number', type=positive_int, default=100, help='of photos (100)')
    cli.add_models(parser, 'another model, for the disagreement; repeat it for each')
    parser.add_argument(
        '--labeled',
        nargs='+',
        type=existing_file,
        default=[],
        metavar='ANN',
        help='COCO files of the photos that are labeled already: none that looks like one of them '
        'is chosen, and the chosen ones differ from them',
    )
    parser.add_argument(
        '--by',
        choices=MEASURES,
        default='entropy',
        help='what makes a photo worth labeling; disagreement: of the models, or of one model '
        'about a photo and its mirror image (entropy)',
    )
    parser.add_argument(
        '--class-aware',
        action=BooleanOptionalAction,
        default=False,
        help='let every class count alike, however few pixels it has (no)',
    )
    parser.add_argument(
        '--diversity',
        choices=('clusters', 'core-set', 'none'),
        default='none',
        help='clusters: of groups of similar photos, one each, by k-means weighted by the scores; '
        'core-set: of the best photos, those whose features differ most; none: the best (none)',
    )
    cli.add_data_root(parser, 'folder that file names in a COCO file are relative to')
    cli.add_pre_labels(parser)
    cli.add_max_side(parser)
    cli.add_device(parser)
    cli.add_continue_options(parser)
    return parser


def run(args) -> int:
    """Look at every photo once, choose, and label what is chosen."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.labeling.next_photos import Choice, choose_next, write_list
    from mmseg_custom.labeling.pool import PoolFiles, PoolSegmenter
    from mmseg_custom.prediction.photo_sources import list_photos
    from mmseg_custom.utils.overwriting import refuse_overwriting

    out = Path(args.out)
    photos = list_photos([args.pool], args.data_root, outputs=[args.out])
    labeled = list_photos(args.labeled, args.data_root) if args.labeled else []
    inputs = [args.pool, *args.labeled, *(photo.path for photo in (*photos, *labeled))]
    refuse_overwriting([out / name for name in (LIST, PAGE, 'predictions.json')], inputs)
    members = [(args.config, args.checkpoint), *args.model]
    cli.trust_checkpoints(args, *(checkpoint for _, checkpoint in members))
    segmenter = PoolSegmenter([TrashSegmenter(*member, args.device) for member in members])
    of_pool, of_labeled = PoolFiles(out / 'pool'), PoolFiles(out / 'labeled')
    readable, skipped = look(args, segmenter, of_pool, photos)
    known, unread = look(args, segmenter, of_labeled, labeled)
    if args.dry_run:
        return 0
    choice = Choice(args.number, args.by, args.class_aware, args.diversity)
    chosen = choose_next(
        [of_pool.read(photo.name) for photo in readable],
        [of_labeled.read(photo.name) for photo in known],
        choice,
    )
    write_list(out / LIST, readable, chosen)
    write_labels(args, segmenter, readable, [readable[one.place] for one in chosen])
    write_page(out, readable, chosen, choice, segmenter.classes)
    print(f'{len(chosen)} of {len(readable)} photos chosen; open {out / PAGE}')
    if len(chosen) < args.number:
        print(
            f'{args.number} were asked for: all others look like one that is chosen or labeled '
            'already'
        )
    cli.report_skipped([*skipped, *unread], len(photos) + len(labeled))
    return int(bool(skipped or unread))


def look(args, segmenter, files, photos: list) -> tuple[list, list[tuple[str, str]]]:
    """Run the models over photos that are not done; return those that can be read, and why not."""
    from mmseg_custom.prediction.predict import predict_photos
    from mmseg_custom.prediction.results import continue_results
    from mmseg_custom.utils.provenance import FILE, Provenance

    if not photos:
        return [], []
    made_from = dict(segmenter.made_from, **cli.given(args, 'max_side'))
    provenance = Provenance(files.folder / FILE, 'next_photos', made_from)
    if not continue_results(provenance, files, photos, summaries=(), **cli.continue_options(args)):
        return [], []
    skipped = predict_photos(segmenter, photos, files, batch_size=1, max_side=args.max_side)
    missing = {name for name, _ in skipped}
    return [photo for photo in photos if photo.name not in missing], skipped


def write_labels(args, segmenter, pool: list, photos: list) -> None:
    """Write predictions of the chosen photos to be corrected, and of no others."""
    from mmseg_custom.coco.result_classes import write_classes
    from mmseg_custom.prediction.outputs import Outputs, write_coco
    from mmseg_custom.prediction.pre_labels import write_predicted
    from mmseg_custom.prediction.predict import predict_photos
    from mmseg_custom.prediction.results import continue_results
    from mmseg_custom.utils.provenance import FILE, Provenance

    outputs = Outputs(Path(args.out), scores=bool(args.labels_as))
    made_from = dict(segmenter.labeler.made_from, **cli.given(args, 'max_side'))
    provenance = Provenance(outputs.folder / FILE, 'next_photos', made_from)
    continue_results(provenance, outputs, photos, force=args.force, verify=args.verify)
    names = {photo.name for photo in photos}
    for path in (path for p in pool if p.name not in names for path in outputs.every_path(p.name)):
        path.unlink(missing_ok=True)
    write_classes(outputs.folder, segmenter.classes, replace=True)
    predict_photos(segmenter.labeler, photos, outputs, batch_size=1, max_side=args.max_side)
    target = write_coco(photos, outputs, segmenter.classes)
    write_predicted(photos, target, segmenter.classes, args.labels_as, args.simplify)


def write_page(out: Path, photos: list, chosen: list, choice, classes) -> None:
    """Show the chosen photos with their predictions."""
    from mmseg_custom.coco import load_mask
    from mmseg_custom.utils.parallel import in_threads
    from mmseg_custom.visualization import overlay
    from mmseg_custom.visualization.pages.ranked_page import (
        RankedSection,
        ranked_picture,
        write_ranked_page,
    )
    from mmseg_custom.visualization.thumbnails import thumbnail

    def entry(item):
        rank, one = item
        source = photos[one.place]
        photo = source.read()
        mask = load_mask(out / 'masks' / f'{source.name}.png', *photo.shape[:2], classes)
        pictures = [('photo', photo), ('prediction', overlay(photo, mask, classes))]
        return ranked_picture(
            [(what, thumbnail(picture, SIDE)) for what, picture in pictures],
            [f'{rank}. {source.file_name}', f'score {one.score:.3g}'],
        )

    entries = list(in_threads(entry, list(enumerate(chosen, 1)), 'drawing'))
    how = [choice.measure, *['every class counts alike'] * choice.class_aware]
    how += [f'diversity: {choice.diversity}'] * (choice.diversity != 'none')
    text = f'In the order of choice, by {", ".join(how)}: each photo, and what the model sees.'
    section = RankedSection(f'{len(chosen)} photos', text, entries)
    title = 'What to label next'
    write_ranked_page(
        out / PAGE, title, f'Of {len(photos)} photos.', [section], classes, 'tools/next_photos.py'
    )


if __name__ == '__main__':
    cli.main(build_parser, run)
