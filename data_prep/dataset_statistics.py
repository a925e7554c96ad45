"""Write statistics of a data set: one HTML page and a JSON."""

from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import natural_int

EXAMPLES, EXTREMES = 8, 8
MAX_WEIGHT = 5.0


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python data_prep/dataset_statistics.py data/recycle_trash/train_all.json '
        '--out work_dirs/statistics --folds-dir data/recycle_trash/folds',
    )
    cli.add_ann(
        parser, 'COCO files, taken together; several are compared with each other', several=True
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder for statistics.html and statistics.json'
    )
    cli.add_data_root(parser)
    cli.add_class_options(parser)
    cli.add_folds_dir(
        parser, 'compare the kfold_0_val.json, … there, which the one file was split into'
    )
    parser.add_argument(
        '--no-photos', action='store_true', help='read no photo; the page then has no pictures'
    )
    parser.add_argument(
        '--max-weight', type=float, default=MAX_WEIGHT, help=f'cap of loss weights ({MAX_WEIGHT})'
    )
    parser.add_argument(
        '--beta', type=float, help='of the weights by effective number of pixels (0.9999999)'
    )
    parser.add_argument('--seed', type=natural_int, default=0, help='chooses the examples (0)')
    return parser


def run(args) -> int:
    """Measure, write, and say where it is."""
    from mmseg_custom.coco.convert.published import published_differences
    from mmseg_custom.coco.labelled_set import open_set
    from mmseg_custom.coco.stats.label_facts import measure_labels
    from mmseg_custom.utils import write_json
    from mmseg_custom.utils.overwriting import refuse_overwriting
    from mmseg_custom.visualization.pages.statistics_page import write_statistics_page

    data, classes, contents = open_set(
        args.ann, args.classes, args.class_map, args.data_root, args.folds_dir
    )
    out, skipped = Path(args.out), []
    written = [out / name for name in ('statistics.json', 'statistics.html')]
    refuse_overwriting(written, args.ann)
    if not args.no_photos:
        data, skipped = data.readable()
    facts = measure_labels(data.samples, classes)
    statistics, pictures = describe(args, data, facts, classes)
    write_json(out / 'statistics.json', statistics)
    write_statistics_page(out / 'statistics.html', statistics, pictures, classes)
    if line := published_differences(contents):
        print(line)
    print(
        f'{len(data.samples)} images with {statistics["annotations"]} annotations: '
        f'open {out / "statistics.html"}; the numbers are in statistics.json'
    )
    cli.report_skipped(skipped, len(data.samples) + len(skipped))
    return int(bool(skipped))


def describe(args, data, facts, classes):
    """Make numbers and pictures of what was measured.

    Args:
        args: The command line.
        data: The :class:`~mmseg_custom.coco.labelled_set.LabelledSet`.
        facts: The :class:`~mmseg_custom.coco.stats.label_facts.LabelFacts` of it.
        classes: The :class:`~mmseg_custom.classes.ClassList`.

    Returns:
        tuple: The content of ``statistics.json``; the
        :class:`~mmseg_custom.visualization.pages.statistics_pictures.StatisticsPictures`, None with
        ``--no-photos``.
    """
    from mmseg_custom.coco.stats.examples import choose_examples, object_entry
    from mmseg_custom.coco.stats.photo_statistics import (
        extreme_photos,
        measure_photos,
        photo_statistics,
    )
    from mmseg_custom.coco.stats.statistics import (
        compare_groups,
        label_statistics,
        weight_statistics,
    )
    from mmseg_custom.visualization.pages.statistics_pictures import load_pictures

    samples, chosen = data.samples, choose_examples(facts, EXAMPLES, args.seed, classes)
    statistics = dict(
        files=data.files,
        **label_statistics(samples, facts, classes),
        class_weights=weight_statistics(facts.pixels, args.max_weight, args.beta),
        examples=[[object_entry(samples, facts, n) for n in of_class] for of_class in chosen],
        comparison=compare_groups(facts, data.groups, data.group_of, classes)
        if data.groups
        else None,
        photos=None,
    )
    if args.no_photos:
        return statistics, None
    paths = [sample['img_path'] for sample in samples]
    measured = measure_photos(paths)
    extremes = extreme_photos(paths, measured, EXTREMES)
    names = [sample['file_name'] for sample in samples]
    statistics['photos'] = photo_statistics(names, measured, *extremes)
    return statistics, load_pictures(samples, facts, classes, *extremes, chosen)


if __name__ == '__main__':
    cli.main(build_parser, run)
