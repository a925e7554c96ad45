"""Draw many photos with their labels and predictions in one picture."""

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/contact_sheet.py data/toy_trash/val.json '
        'work_dirs/demo_toy/test/masks --out work_dirs/demo_toy/contact_sheet.png',
    )
    cli.add_ann(parser, 'COCO file of the photos and their labels')
    parser.add_argument(
        'masks',
        type=existing_dir,
        metavar='MASKS',
        help='folder of predicted masks: DIR/masks of tools/predict.py or tools/test.py',
    )
    parser.add_argument('--out', required=True, metavar='FILE', help='PNG or JPEG to write')
    cli.add_data_root(parser)
    cli.add_class_options(parser)
    parser.add_argument('--count', type=positive_int, default=12, help='photos to show (12)')
    parser.add_argument('--columns', type=positive_int, default=2, help='photos a row (2)')
    return parser


def run(args) -> int:
    """Collect evenly spaced photos and draw them."""
    from pathlib import Path

    import numpy as np

    from mmseg_custom.coco import classes_of_files, load_mask, read_coco
    from mmseg_custom.coco.ann_files import annotation_files
    from mmseg_custom.coco.decode_photo import PhotoProblem
    from mmseg_custom.coco.labelled_set import labelled_samples
    from mmseg_custom.coco.masks import sample_mask
    from mmseg_custom.coco.photos import read_photo
    from mmseg_custom.coco.result_photos import require_masks_of
    from mmseg_custom.evaluation.confusion import confusion_matrix
    from mmseg_custom.utils import UserError, atomic_path
    from mmseg_custom.utils.overwriting import refuse_overwriting
    from mmseg_custom.visualization import contact_sheet

    content = read_coco(args.ann)
    classes = classes_of_files({args.ann: content}, args.classes, args.class_map)
    samples = labelled_samples(args.ann, classes, args.data_root, content)
    photos = [sample['img_path'] for sample in samples]
    refuse_overwriting([args.out], [*annotation_files(args.ann), *photos])
    require_masks_of(args.masks, classes, {one['file_name']: one['img_path'] for one in samples})
    rows, skipped = [], []
    count = min(args.count, len(samples))
    for index in np.linspace(0, len(samples) - 1, count).round().astype(int):
        sample = samples[index]
        name = sample['file_name']
        try:
            photo = read_photo(sample['img_path'], sample['height'], sample['width'])
        except PhotoProblem as problem:
            skipped.append((name, str(problem)))
            continue
        mask_path = Path(args.masks, name).with_suffix('.png')
        truth = sample_mask(sample, Path(), classes)
        prediction = load_mask(mask_path, *truth.shape, classes)
        confusion = confusion_matrix(truth, prediction, len(classes), str(mask_path))
        right = confusion.trace() / max(1, confusion.sum())
        caption = f'{name}   {100 * right:.0f} % of pixels correct'
        rows.append((caption, photo[..., ::-1], (truth, prediction)))
    if not rows:
        raise UserError(skipped[0][1])
    sheet = contact_sheet(rows, classes, columns=args.columns)
    with atomic_path(args.out) as temporary:
        sheet.save(temporary)
    print(f'wrote {args.out}: {len(rows)} of {len(samples)} photos')
    cli.report_skipped(skipped, count)
    return int(bool(skipped))


if __name__ == '__main__':
    cli.main(build_parser, run)
