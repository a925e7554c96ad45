"""Show the shipped model on real photos, and fine-tune it on some."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmseg_custom import cli
from mmseg_custom.cli import existing_file, model_file

ROOT = Path(__file__).resolve().parents[1]


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        description=__doc__ + ' Needs a minute on two CPU cores.',
        example='python tools/demo.py --out work_dirs/demo',
    )
    parser.add_argument(
        '--model', type=model_file, default='weights/trash11', help='(weights/trash11)'
    )
    parser.add_argument(
        '--config',
        type=existing_file,
        default='configs/laptop_efflite0_demo.py',
        help='the fine-tuning (configs/laptop_efflite0_demo.py)',
    )
    parser.add_argument(
        '--photos',
        type=existing_file,
        default='samples/recycle_trash/val.json',
        metavar='ANN',
        help='COCO file of photos to show and measure (samples/recycle_trash/val.json)',
    )
    parser.add_argument('--out', default='work_dirs/demo', metavar='DIR', help='(work_dirs/demo)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        type=cli.key_value,
        default=[],
        metavar='KEY=VALUE',
        help='override the config, e.g. train_cfg.max_iters=100',
    )
    cli.add_device(parser)
    return parser


def run(args) -> None:
    """Measure, fine-tune, measure again, draw, and say what to type next."""
    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.checkpoints.resume import find_checkpoint
    from mmseg_custom.prediction.model_scores import score_model

    out = Path(args.out)
    before = TrashSegmenter(None, args.model, args.device)
    print(f'{args.model} on {args.photos}, photos that it was not trained on:', flush=True)
    masks_before: dict = {}
    first = score_model(before, args.photos, None, on_mask=masks_before.__setitem__)
    print(
        f'  {first.photos} photos: mIoU {first.miou:.1f}, trash or not {first.foreground_iou:.1f}'
    )
    print(
        'Fine-tuning on the other sample photos, which the shipped model has learned before '
        '(yours can teach it more):',
        flush=True,
    )
    fine_tune(args, out)
    checkpoint, _ = find_checkpoint(out)
    after = TrashSegmenter(None, checkpoint, args.device)
    masks_after: dict = {}
    second = score_model(after, args.photos, None, on_mask=masks_after.__setitem__)
    print(table(first, second))
    sheet = out / 'contact_sheet.png'
    draw(args.photos, before.classes, (masks_before, masks_after), sheet)
    print(
        f'Look at {sheet}. Then try it with photos of yours:\n'
        f'  make app\n'
        f'  trash-seg predict weights/trash11 PHOTOS --out work_dirs/mine\n'
        f'and read docs/your_classes.md to train with your own.'
    )


def fine_tune(args, out: Path) -> None:
    """Train in a process of its own, which can be stopped."""
    command = [sys.executable, ROOT / 'tools' / 'train.py', args.config, '--work-dir', out]
    options = [f'load_from={args.model}', *args.cfg_options]
    done = subprocess.run([*command, '--no-pretrained', '--cfg-options', *options])
    if done.returncode:
        raise SystemExit(done.returncode)


def table(first, second) -> str:
    """Return the IoU of each class before and after, as text."""
    from prettytable import PrettyTable

    text = PrettyTable(['IoU, %', 'before', 'after'])
    text.align = 'r'
    text.align['IoU, %'] = 'l'
    for name, iou in first.iou.items():
        text.add_row([name, f'{iou:.1f}', f'{second.iou[name]:.1f}'])
    text.add_row([f'mean of these {len(first.iou)}', f'{first.miou:.1f}', f'{second.miou:.1f}'])
    note = (
        'Classes without an object in these photos are left out; train.py counts those found as 0.'
    )
    return f'{text.get_string()}\n{note}'


def draw(ann_file: str, classes, predicted: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Draw photos with labels and predictions, which are masks by file name."""
    from mmseg_custom.coco.labelled_set import labelled_samples
    from mmseg_custom.coco.masks import sample_mask
    from mmseg_custom.coco.photos import read_photo
    from mmseg_custom.utils import atomic_path
    from mmseg_custom.visualization import contact_sheet

    rows = []
    for sample in labelled_samples(ann_file, classes):
        name = sample['file_name']
        photo = read_photo(sample['img_path'], sample['height'], sample['width'])[..., ::-1]
        masks = sample_mask(sample, Path(), classes), *(masks[name] for masks in predicted)
        rows.append((name, photo, masks))
    sheet = contact_sheet(rows, classes, ('photo', 'truth', 'before', 'after'))
    with atomic_path(target) as temporary:
        sheet.save(temporary)


if __name__ == '__main__':
    cli.main(build_parser, run)
