"""Find labels that may be wrong, with the models of a cross-validation."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, positive_int

PAGE, LIST, PHOTOS, CORRECT = (
    'label_errors.html',
    'label_errors.csv',
    'photos.csv',
    'to_correct.json',
)


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Each photo is judged by the model that was not trained on it. '
        f'Writes DIR/{PAGE} (crops, worst first), DIR/{LIST} (labels), DIR/{PHOTOS} (a score for '
        f'each photo) and DIR/{CORRECT} (COCO: the photos with suspicious labels). The same '
        'command continues after a stop.',
        example='python tools/kfold_train.py configs/laptop_efflite0_trash.py --folds-dir folds '
        '\\\n      --data-root data --out work_dirs/kfold\n  python tools/label_errors.py '
        'data/train.json --folds work_dirs/kfold --out work_dirs/errors',
    )
    cli.add_ann(parser, 'COCO file whose labels are judged')
    parser.add_argument(
        '--folds',
        required=True,
        type=existing_dir,
        metavar='DIR',
        help='the --out folder of tools/kfold_train.py',
    )
    parser.add_argument('--out', required=True, metavar='DIR', help='folder to write to')
    parser.add_argument('--number', type=positive_int, default=50, help='shown of each kind (50)')
    cli.add_data_root(parser)
    cli.add_class_options(parser)
    cli.add_device(parser)
    cli.add_trust_option(parser)
    cli.add_continue_options(parser)
    return parser


def run(args) -> int:
    """Judge what is not judged yet, and write what was found."""
    from mmseg_custom.coco import classes_of_files, read_coco
    from mmseg_custom.coco.ann_files import annotation_files
    from mmseg_custom.coco.read import require_valid
    from mmseg_custom.labeling.fold_models import fold_checkpoints, photos_by_model
    from mmseg_custom.labeling.judged import JudgedFiles, LabeledPhotos
    from mmseg_custom.labeling.label_page import TEXTS, write_label_page
    from mmseg_custom.labeling.suspects import to_correct, worst
    from mmseg_custom.prediction.photo_sources import list_annotated
    from mmseg_custom.utils import UserError, write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting

    out = Path(args.out)
    content = read_coco(args.ann)
    classes = classes_of_files({args.ann: content}, args.classes, args.class_map)
    require_valid(args.ann, content, classes)
    if 'annotations' not in content:
        raise UserError(f'{args.ann}: has no "annotations": nothing to judge')
    photos = list_annotated(args.ann, args.data_root)
    refuse_overwriting(
        [out / name for name in (PAGE, LIST, PHOTOS, CORRECT)],
        [*annotation_files(args.ann), *(photo.path for photo in photos)],
    )
    checkpoints = fold_checkpoints(args.folds)
    cli.trust_checkpoints(args, *checkpoints)
    by_model, unseen = photos_by_model(checkpoints, [photo.path for photo in photos])
    report_unseen([photos[place].file_name for place in unseen], len(photos))
    files = JudgedFiles(
        out, LabeledPhotos(content, classes), {photo.name: photo.file_name for photo in photos}
    )
    skipped = judge_all(
        args, files, checkpoints, [[photos[place] for place in places] for places in by_model]
    )
    if args.dry_run:
        return 0
    judged = {p.file_name: files.read(p.name) for p in photos if files.are_there(p.name)}
    found = worst(judged, args.number, classes.background)
    suspects = [one for some in found.values() for one in some]
    write_lists(out, judged, found, classes)
    write_json(out / CORRECT, to_correct(content, suspects, classes))
    by_name = {photo.file_name: photo for photo in photos}
    write_label_page(out / PAGE, files, found, by_name, len(judged))
    counts = ', '.join(f'{len(some)} {TEXTS[kind][0].lower()}' for kind, some in found.items())
    print(f'{len(judged)} photos judged: {counts}; open {out / PAGE}')
    cli.report_skipped(skipped, len(photos))
    return int(bool(skipped))


def report_unseen(names: list[str], total: int) -> None:
    """Say which photos cannot be judged."""
    if names:
        print(
            f'{len(names)} of {total} photos such as {names[0]} are of no fold, or cannot be read: '
            'not judged'
        )


def judge_all(args, files, checkpoints: list, by_model: list) -> list[tuple[str, str]]:
    """Judge the photos of each fold with its model, one model in memory at a time."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.prediction.predict import predict_photos
    from mmseg_custom.prediction.results import continue_results
    from mmseg_custom.utils import UserError
    from mmseg_custom.utils.digests import digest_of_data, digest_of_file
    from mmseg_custom.utils.provenance import FILE, Provenance

    classes = files.photos.classes
    if not any(by_model):
        raise UserError(f'{args.folds}: none of the photos is of one of its folds')
    made_from = dict(
        models=[digest_of_file(checkpoint) for checkpoint in checkpoints],
        labels=digest_of_data(labels_of(files.photos), 'labels'),
        classes=classes.to_plain(),
    )
    provenance = Provenance(files.folder / FILE, 'label_errors', made_from)
    photos = [photo for some in by_model for photo in some]
    options = cli.continue_options(args)
    if not continue_results(provenance, files, photos, summaries=(), **options):
        return []
    skipped = []
    for checkpoint, some in zip(checkpoints, by_model, strict=True):
        if not all(files.are_there(photo.name) for photo in some):
            segmenter = TrashSegmenter(None, checkpoint, args.device, None, classes)
            skipped += predict_photos(segmenter, some, files, batch_size=1)
    return skipped


def labels_of(photos) -> list:
    """Return all labels as plain data."""
    return [
        [name, [[layer.label, layer.entry['segmentation']] for layer in photos.layers(name).layers]]
        for name in photos.images
    ]


def write_lists(out: Path, judged: dict, found: dict, classes) -> None:
    """Write the suspicious labels, and a score for each photo, as CSV."""
    import csv

    from mmseg_custom.utils import atomic_path

    def write(name: str, heads: list[str], rows: list[list]) -> None:
        with atomic_path(out / name) as path, open(path, 'w', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows([heads, *rows])

    heads = ['kind', 'rank', 'score', 'file_name', 'annotation', 'label', 'suggested']
    rows = [
        [kind, rank, one.score, one.file_name, one.annotation,
         '' if one.label is None else classes.names[one.label], classes.names[one.suggested]]
        for kind, some in found.items() for rank, one in enumerate(some, 1)
    ]  # fmt: skip
    write(LIST, heads, rows)
    qualities = sorted((of_photo['quality'], name) for name, of_photo in judged.items())
    write(PHOTOS, ['quality', 'file_name'], [list(row) for row in qualities])


if __name__ == '__main__':
    cli.main(build_parser, run)
