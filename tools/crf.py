"""Refine saved probabilities with a dense CRF, or search its parameters."""

import os
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import existing_dir, positive_int

SCORES, TRIALS = 'crf.json', '.trials'


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Measures mIoU and boundary IoU before and after if each INPUT is '
        'a COCO file with annotations. The same command continues after a stop.',
        example='python tools/crf.py work_dirs/predicted data/toy_trash/val.json --out '
        'work_dirs/refined\n  python tools/crf.py work_dirs/predicted data/toy_trash/val.json '
        '--tune 50 --out work_dirs/tuned_crf.py',
    )
    parser.add_argument(
        'predicted',
        type=existing_dir,
        metavar='PREDICTED',
        help='--out folder of tools/predict.py --probabilities',
    )
    parser.add_argument(
        'inputs', nargs='+', metavar='INPUT', help='the same photos: files, folders, a COCO file'
    )
    cli.add_prediction_outputs(parser)
    parser.add_argument(
        '--crf',
        default='default',
        type=cli.named_part('crf', or_file=True),
        metavar='NAME',
        help=f'{cli.list_parts("crf")}, or a config file (default)',
    )
    parser.add_argument(
        '--keep-small',
        type=float,
        metavar='P',
        help='keep a component that would be erased where its mean probability is at least P',
    )
    parser.add_argument(
        '--tune',
        type=positive_int,
        metavar='TRIALS',
        help='search the parameters of highest mIoU, and write them to the config --out FILE.py',
    )
    cli.add_class_options(parser)
    cli.add_data_root(parser, 'folder that file names in a COCO file are relative to')
    cli.add_continue_options(parser)
    return parser


def run(args) -> int | None:
    """Refine and measure, or search."""
    from mmseg_custom.experiment.tta import read_crf
    from mmseg_custom.postprocess import DenseCrf
    from mmseg_custom.prediction.photo_sources import list_photos
    from mmseg_custom.prediction.voted import Voters

    options = read_crf(args.crf)
    if args.keep_small is not None:
        options['keep_small'] = args.keep_small
    crf = DenseCrf(**options)
    photos = list_photos(args.inputs, args.data_root, outputs=[args.out])
    voters = Voters([args.predicted], [1.0], given=cli.given_classes(args))
    voters.require(photo.name for photo in photos)
    return (tune if args.tune else refine)(args, crf, photos, voters)


def refine(args, crf, photos, voters) -> int:
    """Write the refined masks, and the scores where there are labels."""
    from mmseg_custom.coco import load_mask
    from mmseg_custom.coco.result_classes import write_classes
    from mmseg_custom.prediction.crf_tuning import score_crf
    from mmseg_custom.prediction.outputs import Outputs, write_coco
    from mmseg_custom.prediction.pre_labels import write_predicted
    from mmseg_custom.prediction.results import continue_results
    from mmseg_custom.prediction.voted import finish_photos, score_photos
    from mmseg_custom.utils import write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting
    from mmseg_custom.utils.provenance import FILE, Provenance

    outputs = Outputs(Path(args.out), args.overlays, args.probabilities, crf, bool(args.labels_as))
    inputs = [*args.inputs, *(path for photo in photos for path in voters.sources_of(photo))]
    refuse_overwriting([*outputs.paths_of(photos), outputs.folder / SCORES], inputs)
    made_from = dict(voters.origins(), crf=crf.settings())
    provenance = Provenance(outputs.folder / FILE, 'crf', made_from)
    options = dict(cli.continue_options(args), summaries=('predictions.json', SCORES))
    if not continue_results(provenance, outputs, photos, voters.sources_of, **options):
        return 0
    write_classes(outputs.folder, voters.classes, replace=True)
    skipped = finish_photos(photos, voters, outputs)
    target = write_coco(photos, outputs, voters.classes)
    write_predicted(photos, target, voters.classes, args.labels_as, args.simplify)
    print(f'{len(photos) - len(skipped)} photos refined; wrote {outputs.folder}')
    cli.report_skipped(skipped, len(photos))
    unread = {name for name, _ in skipped}
    truths = {
        name: truth
        for name, truth in labels_of(args, photos, voters.classes).items()
        if name not in unread
    }
    if not truths:
        return int(bool(skipped))

    def refined(name):
        sample = truths[name]
        return load_mask(
            outputs.paths(name)['masks'], sample['height'], sample['width'], voters.classes
        )

    before = score_crf(None, {}, truths, voters, 'before')
    after = score_photos(truths, refined, voters.classes, 'after')
    write_json(outputs.folder / SCORES, dict(before=before, after=after, crf=crf.settings()))
    report(before, after)
    return int(bool(skipped))


def tune(args, crf, photos, voters) -> int:
    """Search, and write the config; 1 if some photos could not be read."""
    from mmseg_custom.coco.readable import unreadable_photos
    from mmseg_custom.prediction.crf_tuning import score_crf, tune_crf, write_crf_config
    from mmseg_custom.utils import UserError

    truths = labels_of(args, photos, voters.classes)
    if not truths:
        raise UserError('--tune needs labels: give the photos as COCO files with annotations')
    if not args.out.endswith('.py'):
        raise UserError(f'--out {args.out}: --tune writes a config; let its name end with .py')
    broken = unreadable_photos([photo.path for photo in photos])
    skipped = [(photos[place].name, reason) for place, reason in broken.items()]
    cli.report_skipped(skipped, len(photos))
    photos = [photo for place, photo in enumerate(photos) if place not in broken]
    if not photos:
        raise UserError(f'{args.inputs[0]}: none of its photos can be read')
    truths = {photo.name: truths[photo.name] for photo in photos if photo.name in truths}
    if not same_search(args, crf, photos, voters):
        return 0
    by_name = {photo.name: photo for photo in photos}
    before = score_crf(None, by_name, truths, voters, 'before')

    def evaluate(candidate, what):
        return score_crf(candidate, by_name, truths, voters, what)['mIoU']

    best, _ = tune_crf(evaluate, crf, args.tune, Path(args.out + TRIALS))
    after = score_crf(best, by_name, truths, voters, 'after')
    source = ' '.join(Path(item).name for item in args.inputs)
    write_crf_config(args.out, best, f'Best of {args.tune} trials on {source}')
    report(before, after)
    print(f'wrote {args.out}; use it with --crf {args.out}')
    if after['mIoU'] <= before['mIoU']:
        print('no CRF that was tried helps on these photos: leave it out')
    return int(bool(skipped))


def same_search(args, crf, photos, voters) -> bool:
    """Note what a search is made from; refuse to continue trials of something else.

    Returns:
        bool: False after a dry run.
    """
    from mmseg_custom.coco.ann_files import annotation_files
    from mmseg_custom.coco.class_map import with_class_map
    from mmseg_custom.utils.digests import digest_of_file
    from mmseg_custom.utils.provenance import Provenance

    classes = with_class_map(voters.classes, args.class_map)
    labels = [digest_of_file(file) for path in args.inputs for file in annotation_files(path)]
    made_from = dict(
        voters.origins(), classes=classes.to_plain(), crf=crf.settings(), labels=labels
    )
    trials = Path(args.out + TRIALS)
    provenance = Provenance(Path(f'{args.out}.provenance.json'), 'crf --tune', made_from)
    foreign = provenance.open([trials], args.force)
    sources = {photo.name: voters.sources_of(photo) for photo in photos}
    same = provenance.require_unchanged(sources, args.verify, args.force)
    if args.dry_run:
        print(f'{trials}: would be {"continued" if same else "started"}')
        return False
    if foreign or not same:
        trials.unlink(missing_ok=True)
    provenance.save()
    return True


def labels_of(args, photos, classes) -> dict:
    """Return the labels of the COCO files that were given by the names of their photos, or none.

    Args:
        args: The command line.
        photos: What its inputs list.
        classes: What the labels of the predictions mean.
    """
    from mmseg_custom.coco import read_coco
    from mmseg_custom.coco.class_map import with_class_map
    from mmseg_custom.coco.labelled_set import labelled_samples

    contents = {path: read_coco(path) for path in args.inputs if path.lower().endswith('.json')}
    unlabeled = [path for path in args.inputs if not contents.get(path, {}).get('annotations')]
    if unlabeled:
        if len(unlabeled) < len(args.inputs):
            print(f'{unlabeled[0]}: has no labels, so nothing is measured')
        return {}
    classes = with_class_map(classes, args.class_map)
    names = {os.path.realpath(photo.path): photo.name for photo in photos}
    return {
        names[os.path.realpath(sample['img_path'])]: sample
        for path, content in contents.items()
        for sample in labelled_samples(path, classes, args.data_root, content)
    }


def report(before: dict[str, float], after: dict[str, float]) -> None:
    """Print the scores side by side."""
    for name in before:
        difference = after[name] - before[name]
        print(
            f'{name:<14} {100 * before[name]:6.2f} -> {100 * after[name]:6.2f} '
            f'({100 * difference:+.2f})'
        )


if __name__ == '__main__':
    cli.main(build_parser, run)
