"""Write, check or read back a submission CSV of the contest."""

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/submit.py data/recycle_trash/test.json '
        '--masks work_dirs/predicted/masks --out submission.csv\n  '
        'python tools/submit.py data/recycle_trash/test.json --model '
        'configs/upernet_swin_trash.py best.pth --out submission.csv\n  python tools/submit.py '
        'data/recycle_trash/test.json --check '
        'submission.csv',
    )
    cli.add_ann(parser, 'COCO file of the photos')
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        '--masks',
        type=existing_dir,
        help='write the masks of this folder (tools/predict.py) to OUT',
    )
    what.add_argument(
        '--model',
        nargs='+',
        type=cli.model_file,
        metavar='MODEL',
        help='write what this model predicts to OUT: CHECKPOINT, CONFIG CHECKPOINT, or a model '
        'folder',
    )
    what.add_argument('--check', metavar='CSV', help='report what is wrong with a submission')
    what.add_argument(
        '--from-csv', metavar='CSV', help='write its masks, 256x256 palette PNGs, to the folder OUT'
    )
    parser.add_argument('--out', help='the CSV or the folder to write')
    cli.add_data_root(parser)
    cli.add_trust_option(parser)
    cli.add_device(parser)
    cli.add_tta_and_crf(parser)
    cli.add_max_side(parser)
    cli.add_continue_options(parser)
    return parser


def run(args) -> int:
    """Do one of the three."""
    from mmseg_custom.classes import built_in
    from mmseg_custom.coco import read_coco, require_valid, save_mask
    from mmseg_custom.coco.ann_files import annotation_files
    from mmseg_custom.coco.convert.submission import (
        mask_name,
        read_submission,
        require_complete,
        require_contest,
        write_submission,
    )
    from mmseg_custom.coco.photo_root import photo_root
    from mmseg_custom.coco.result_photos import require_masks_of
    from mmseg_custom.coco.write import require_inside
    from mmseg_custom.utils import UserError
    from mmseg_custom.utils.overwriting import refuse_overwriting

    content = read_coco(args.ann)
    require_valid(args.ann, content, None)
    require_contest(args.ann, content.get('categories', []))
    names = [image['file_name'] for image in content['images']]
    require_inside(args.ann, names)
    if not args.out and not args.check:
        raise UserError('--out is missing: say where to write')
    if args.model:
        return predict_submission(args, content['images'])
    if args.masks:
        masks = [mask_name(args.masks, name) for name in names]
        refuse_overwriting([args.out], [*annotation_files(args.ann), *masks])
        root = photo_root(args.ann, content, args.data_root)
        require_masks_of(args.masks, built_in(), {name: root / name for name in names})
        count = write_submission(args.out, masks_of(args.masks, content['images']))
        print(f'wrote {args.out}: {count} photos')
        return 0
    source = args.check or args.from_csv
    found = [image_id for image_id, _ in read_submission(source)]
    require_complete(source, found, names)
    if args.from_csv:
        masks = [mask_name(args.out, image_id) for image_id in found]
        root = photo_root(args.ann, content, args.data_root)
        refuse_overwriting(masks, [root / name for name in names])
        for image_id, mask in read_submission(source):
            save_mask(mask_name(args.out, image_id), mask, built_in())
        print(f'wrote {len(found)} masks to {args.out}')
    else:
        print(f'{source}: valid, {len(found)} photos')
    return 0


def masks_of(folder: str, images: list[dict]):
    """Yield file name and label mask of each photo."""
    from mmseg_custom.classes import built_in
    from mmseg_custom.coco import load_mask
    from mmseg_custom.coco.convert.submission import mask_name, require_contest_list
    from mmseg_custom.coco.result_classes import read_classes
    from mmseg_custom.utils.progress import tqdm

    require_contest_list(folder, read_classes(folder))
    for image in tqdm(images, desc='writing', unit='photo'):
        path = mask_name(folder, image['file_name'])
        yield image['file_name'], load_mask(path, image['height'], image['width'], built_in())


def predict_submission(args, images: list[dict]) -> int:
    """Predict what is not predicted yet, then write the CSV from the masks."""
    from pathlib import Path

    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.coco.ann_files import annotation_files
    from mmseg_custom.coco.convert.submission import require_contest_list, write_submission
    from mmseg_custom.experiment.tta import read_crf
    from mmseg_custom.postprocess import DenseCrf
    from mmseg_custom.prediction.outputs import Outputs
    from mmseg_custom.prediction.photo_sources import list_annotated
    from mmseg_custom.prediction.predict import predict_photos
    from mmseg_custom.prediction.results import continue_results
    from mmseg_custom.utils.overwriting import refuse_overwriting
    from mmseg_custom.utils.provenance import FILE, Provenance

    crf = read_crf(args.crf) if args.crf else None
    photos = list_annotated(args.ann, args.data_root)
    outputs = Outputs(Path(f'{args.out}.predicted'), crf=crf and DenseCrf(**crf))
    inputs = [*annotation_files(args.ann), *args.model, *(photo.path for photo in photos)]
    refuse_overwriting([args.out, *outputs.paths_of(photos)], inputs)
    config, checkpoint = cli.split_model(args.model)
    cli.trust_checkpoints(args, checkpoint)
    segmenter = TrashSegmenter(config, checkpoint, args.device, args.tta)
    require_contest_list(checkpoint, segmenter.classes)
    made_from = dict(segmenter.made_from, crf=crf) | cli.given(args, 'max_side')
    provenance = Provenance(outputs.folder / FILE, 'submit', made_from)
    if not continue_results(provenance, outputs, photos, **cli.continue_options(args)):
        return 0
    skipped = predict_photos(segmenter, photos, outputs, batch_size=1, max_side=args.max_side)
    cli.report_skipped(skipped, len(photos))
    if skipped:
        print(f'no CSV written, which needs all photos; the masks are in {outputs.folder}')
        return 1
    count = write_submission(args.out, masks_of(outputs.folder / 'masks', images))
    print(f'wrote {args.out}: {count} photos; the masks are in {outputs.folder}')
    return 0


if __name__ == '__main__':
    cli.main(build_parser, run)
