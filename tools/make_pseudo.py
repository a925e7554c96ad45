"""Label photos with a model, for self-training."""

import os
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import data_file, positive_int, share


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Writes masks in which low-confidence pixels are 255 (ignored), '
        'annotations.json for TrashCocoDataset, the manifest pseudo.json, and sheet.png with the '
        'photos of highest and lowest confidence. The same command continues after a stop; other '
        'thresholds reuse the predictions.',
        example='python tools/make_pseudo.py configs/upernet_swin_trash.py '
        'work_dirs/upernet_swin_trash/best.pth data/recycle_trash/test.json \\\n'
        '      --out data/recycle_trash/pseudo --tta flip --crf',
    )
    cli.add_model(parser)
    parser.add_argument('input', metavar='INPUT', help='photos to label: a COCO file or a folder')
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder of the pseudo-label set'
    )
    cli.add_pre_labels(parser)
    cli.add_models(parser, 'another model of the ensemble; repeat it for each')
    parser.add_argument('--weights', nargs='+', type=float, help='one a model (all equal)')
    cli.add_tta_and_crf(parser)
    cli.add_max_side(parser)
    cli.add_classes_option(parser)
    parser.add_argument(
        '--threshold',
        nargs='+',
        default=['0.9'],
        metavar='P',
        help='least confidence, for all and by class: 0.9 Paper=0.8 "Plastic bag=0.95" (0.9)',
    )
    parser.add_argument(
        '--class-balanced',
        type=share,
        metavar='SHARE',
        help="label at most this fraction of each class's pixels, the surest",
    )
    parser.add_argument(
        '--min-score', type=share, default=0.0, help='leave out photos of less mean confidence (0)'
    )
    parser.add_argument(
        '--exclude',
        nargs='+',
        type=data_file,
        help='COCO files of photos that must not enter, beside the validation set of the training',
    )
    cli.add_data_root(parser, 'folder that file names in a COCO file are relative to')
    parser.add_argument('--batch-size', type=positive_int, default=4, help='photos at once (4)')
    cli.add_device(parser)
    cli.add_continue_options(parser)
    cli.add_launcher(parser)
    return parser


def run(args) -> int:
    """Predict what is not predicted yet, then label."""
    from mmengine.dist import barrier, is_main_process

    from mmseg_custom.apis.ensemble import build_segmenter
    from mmseg_custom.experiment.launch import join_processes
    from mmseg_custom.experiment.tta import read_crf
    from mmseg_custom.postprocess import DenseCrf
    from mmseg_custom.prediction.photo_sources import folder_of, list_photos
    from mmseg_custom.prediction.pre_labels import pre_labels, write_pre_labels
    from mmseg_custom.prediction.predict import predict_photos
    from mmseg_custom.prediction.results import continue_results
    from mmseg_custom.pseudo import (
        WRITTEN,
        ConfidenceFiles,
        PseudoOptions,
        drop_excluded,
        labeled_parts,
        validation_identities,
        write_pseudo_set,
    )
    from mmseg_custom.utils.overwriting import refuse_overwriting
    from mmseg_custom.utils.provenance import FILE, Provenance

    options = PseudoOptions(tuple(args.threshold), args.class_balanced, args.min_score)
    join_processes(args.launcher)
    crf = read_crf(args.crf) if args.crf else None
    files = ConfidenceFiles(Path(args.out, 'confidence'), crf and DenseCrf(**crf))
    found = list_photos([args.input], args.data_root, outputs=[args.out])
    validation = validation_identities(members_of(args), args.exclude, args.data_root)
    photos, excluded = drop_excluded(found, validation)
    masks = [Path(args.out, 'masks', f'{photo.name}.png') for photo in photos]
    refuse_overwriting(
        [*masks, *(Path(args.out, name) for name in WRITTEN)],
        [args.input, *(photo.path for photo in found)],
    )
    cli.trust_checkpoints(args, *(checkpoint for _, checkpoint in members_of(args)))
    segmenter = build_segmenter(
        members_of(args), args.weights, args.device, args.tta, classes=cli.given_classes(args)
    )
    made_from = dict(segmenter.made_from, batch_size=args.batch_size, crf=crf)
    made_from |= cli.given(args, 'max_side')
    if is_main_process():
        provenance = Provenance(Path(args.out, FILE), 'make_pseudo', made_from)
        continue_results(provenance, files, photos, summaries=WRITTEN, **cli.continue_options(args))
        remove_labels(args, files, excluded)
    barrier()
    if args.dry_run:
        return 0
    skipped = predict_photos(segmenter, photos, files, args.batch_size, max_side=args.max_side)
    unreadable = sorted(name for name, _ in skipped)
    photos = [photo for photo in photos if photo.name not in unreadable]
    alike = [name for name, how in excluded.items() if how == 'alike']
    made_by = dict(
        members=models_of(args),
        weights=args.weights,
        tta=args.tta,
        crf=crf,
        batch_size=args.batch_size,
        **cli.given(args, 'max_side'),
        excluded=list(excluded),
        excluded_alike=alike,
        unreadable=unreadable,
    )
    root = folder_of(args.input, args.data_root)
    manifest = write_pseudo_set(
        photos, files, options, segmenter.classes, root, Path(args.out), made_by
    )
    if manifest:
        report(args.out, manifest, skipped)
        if args.labels_as:
            found = pre_labels(labeled_parts(photos, files, manifest, args.out), segmenter.classes)
            print(*write_pre_labels(found, args.labels_as, Path(args.out), args.simplify), sep='\n')
    return int(bool(skipped))


def remove_labels(args, files, names) -> None:
    """Delete labels that an earlier run gave to photos which are kept out now."""
    if not args.dry_run:
        for path in (path for name in names for path in files.every_path(name)):
            path.unlink(missing_ok=True)


def members_of(args) -> list[tuple[str, str]]:
    """Return config and checkpoint of each model."""
    return [(args.config, args.checkpoint), *args.model]


def models_of(args) -> list[dict]:
    """Return what the manifest says about each model; paths are relative to the set."""
    from mmseg_custom.utils.digests import digest_of_file

    return [
        dict(
            config=config and Path(config).name,
            checkpoint=Path(os.path.relpath(checkpoint, args.out)).as_posix(),
            sha256=digest_of_file(checkpoint)['sha256'],
        )
        for config, checkpoint in members_of(args)
    ]


def report(out: str, manifest: dict, skipped: list[tuple[str, str]]) -> None:
    """Say what was made."""
    used = sum(image['used'] for image in manifest['images'])
    print(f'{used} of {len(manifest["images"])} photos labeled; wrote {out}/annotations.json')
    print('fraction of the pixels by class, without those that are ignored:')
    for name, part in manifest['class_shares'].items():
        print(f'  {name:<14} {100 * part:6.2f} %  threshold {manifest["thresholds"][name]:.3f}')
    if manifest['excluded']:
        alike = len(manifest['excluded_alike'])
        print(
            f'{len(manifest["excluded"])} photos are validation photos ({alike} of them encoded '
            'again or scaled): left out'
        )
    cli.report_skipped(skipped, len(manifest['images']) + len(skipped))


if __name__ == '__main__':
    cli.main(build_parser, run)
