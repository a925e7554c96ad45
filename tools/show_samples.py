"""Draw the augmented photos and labels that a training sees."""

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, natural_int, positive_int


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__,
        example='python tools/show_samples.py configs/upernet_swin_toy.py --out samples.png',
    )
    parser.add_argument('config', type=existing_file, help='the experiment')
    parser.add_argument('--out', required=True, metavar='FILE', help='PNG or JPEG to write')
    parser.add_argument('--count', type=positive_int, default=12, help='photos to show (12)')
    parser.add_argument('--seed', type=natural_int, default=0, help='as that of the training (0)')
    parser.add_argument('--data-root', help='folder of the data')
    cli.add_ann_option(parser, '--train-json', 'annotations to train on')
    cli.add_augmentation(parser)
    cli.add_class_options(parser)
    cli.add_config_options(parser)
    return parser


def run(args) -> None:
    """Build the training data, then draw its first samples."""
    from mmseg_custom.classes import class_list
    from mmseg_custom.experiment.build import build_experiment
    from mmseg_custom.utils import atomic_path
    from mmseg_custom.visualization import contact_sheet

    cfg = build_experiment(args)
    rows = list(samples(cfg, args.count, args.seed))
    with atomic_path(args.out) as temporary:
        contact_sheet(rows, class_list(cfg.classes), ('photo', 'labels'), columns=3).save(temporary)
    print(f'wrote {args.out}')


def samples(cfg, number: int, seed: int):
    """Yield caption, photo and label mask of the first samples that the sampler draws.

    Args:
        cfg: A complete experiment.
        number: How many.
        seed: Seed of the run.

    Yields:
        tuple: The file's name; ``(H, W, 3)`` uint8 RGB; a list of one ``(H, W)`` uint8 mask.
    """
    import os
    from itertools import islice

    import numpy as np
    from mmengine.registry import DATA_SAMPLERS, DATASETS

    from mmseg_custom.utils.progress import tqdm

    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    sampler = DATA_SAMPLERS.build(
        cfg.train_dataloader.sampler, default_args=dict(dataset=dataset, seed=seed)
    )
    for index in tqdm(islice(sampler, number), total=number, desc='loading', unit='photo'):
        sample = dataset[index]
        photo = np.ascontiguousarray(sample['inputs'].numpy()[::-1].transpose(1, 2, 0))
        mask = sample['data_samples'].gt_sem_seg.data[0].numpy().astype(np.uint8)
        name = os.path.basename(sample['data_samples'].metainfo.get('img_path', ''))
        yield name, photo.clip(0, 255).astype(np.uint8), [mask]


if __name__ == '__main__':
    cli.main(build_parser, run)
