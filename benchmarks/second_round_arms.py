"""The steps of :mod:`benchmarks.second_round`: splitting, training and labeling."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import product, zip_longest
from pathlib import Path

import numpy as np

from mmseg_custom.coco import duplicate_groups, read_coco
from mmseg_custom.coco.photo_root import photo_root
from mmseg_custom.prediction.model_scores import largest_categories
from mmseg_custom.utils import UserError, atomic_path, write_json

from .second_round import (
    CONFIG,
    FOLDS,
    LABELING,
    MEMBERS,
    MORE,
    ONLINE,
    PSEUDO,
    TEACHER,
    Study,
)
from .shipped_recipe import in_one_process, length_options

LATE = 'not begun: the time is over'
SPLIT = 'split'
FROZEN_PSEUDO = 'configs/ablation/frozen_pseudo.py'
FROZEN = ['--option', 'frozen_features', '--augmentation', 'none']


def steps_of(
    arms: Sequence[str], parts: Sequence[int], seeds: Iterable[int]
) -> Iterator[tuple[str, int, int, list[str]]]:
    """Yield name, part and seed of each step, and the names of those that it needs."""
    names = [(SPLIT, []), (TEACHER, [SPLIT]), (MORE, [TEACHER])]
    for arm in arms:
        if arm == 'pseudo ensemble':
            names += [(member, [SPLIT]) for member in MEMBERS]
        members = MEMBERS if arm == 'pseudo ensemble' else ()
        first = ['pseudo 0.8'] if arm == 'two rounds' else []
        if arm in LABELING:
            names.append((f'labels of {arm}', [TEACHER, *members, *first]))
        names.append((arm, [f'labels of {arm}'] if arm in LABELING else [TEACHER]))
    for (name, after), seed, part in product(names, list(seeds), parts):
        yield name, part, seed, list(after)


def run_step(study: Study, name: str, part: int, seed: int, late: bool) -> None:
    """Do one step unless it is done.

    Raises:
        UserError: It failed, or it is not done and the time is over.
    """
    folder = study.folder(part, seed, name)
    done = folder / 'done'
    if done.is_file():
        return
    if late:
        raise UserError(LATE)
    if name == SPLIT:
        split_photos(study, part, seed, folder)
    elif name.startswith('labels of '):
        study.tool('tools/make_pseudo.py', labeling(study, name, part, seed), folder / 'log.txt')
    else:
        study.tool('tools/train.py', training(study, name, part, seed), folder / 'log.txt')
    with atomic_path(done) as temporary:
        temporary.write_text('', encoding='utf-8')


def split_photos(study: Study, part: int, seed: int, folder: Path) -> None:
    """Write `labeled.json`, `unlabeled.json` and `val.json`.

    A fold of the photos is held back, fold ``seed % 5`` of a split that all seeds with the same
    ``seed // 5`` share. Of the others one in ``part`` is labeled, in turns from each category.
    """
    content = read_coco(study.ann)
    root = str(photo_root(study.ann, content).resolve())
    images = sorted(content['images'], key=lambda image: image['file_name'])
    tested, rest = hold_back(
        duplicate_groups([Path(root, image['file_name']) for image in images]), seed
    )
    held_back, rest = [images[place] for place in tested], [images[place] for place in rest]
    turns = in_turns(rest, largest_categories(content))
    labeled = turns[: round(len(rest) / part)]
    parts = dict(labeled=labeled, unlabeled=[i for i in rest if i not in labeled], val=held_back)
    for name, chosen in parts.items():
        ids = {image['id'] for image in chosen}
        entries = [e for e in content['annotations'] if e['image_id'] in ids]
        info = dict(content.get('info') or {}, data_root=root)
        write_json(
            folder / f'{name}.json', dict(content, info=info, images=chosen, annotations=entries)
        )


def hold_back(groups: np.ndarray, seed: int) -> tuple[list[int], list[int]]:
    """Return the places of the photos that are measured, and of those that may be trained on.

    Args:
        groups: ``(N,)`` group of each photo; what looks like a held-back photo is in neither list.
        seed: Fold ``seed % 5`` of a split that all seeds with the same ``seed // 5`` share.
    """
    order = np.random.default_rng(seed // FOLDS).permutation(len(groups))
    tested = order[seed % FOLDS :: FOLDS].tolist()
    rest = np.random.default_rng([seed, 1]).permutation(len(groups)).tolist()
    taken = set(groups[tested].tolist())
    return tested, [place for place in rest if groups[place] not in taken]


def in_turns(images: list[dict], category_of: dict[str, str]) -> list[dict]:
    """Return images, one of each category after the other, without those of no category."""
    by_category: dict[str, list[dict]] = {}
    for image in images:
        if image['file_name'] in category_of:
            by_category.setdefault(category_of[image['file_name']], []).append(image)
    queues = (by_category[name] for name in sorted(by_category))
    return [image for turn in zip_longest(*queues) for image in turn if image]


def training(study: Study, name: str, part: int, seed: int) -> list[str]:
    """Return the arguments of train.py."""
    config = {TEACHER: CONFIG, MORE: CONFIG, 'online': ONLINE}.get(name, PSEUDO)
    config = CONFIG if name in MEMBERS else config
    pseudo = config == PSEUDO
    first = name in (TEACHER, *MEMBERS)
    split = study.folder(part, seed, SPLIT).resolve()
    own_seed = 100 * (MEMBERS.index(name) + 1) + seed if name in MEMBERS else seed
    command = [config, '--work-dir', str(study.folder(part, seed, name)), '--seed', str(own_seed)]
    command.append('--amp' if study.amp else '--no-amp')
    command += ['--classes', study.classes] if study.classes else []
    if study.frozen:
        command = [
            FROZEN_PSEUDO if pseudo else config,
            *command[1:],
            *(FROZEN if not pseudo else []),
        ]
    command += [] if first else ['--lr-factor', '0.5']
    size = f'({study.size},{study.size})'
    changes = length_options(study.iterations, 50 if first else 20)
    for each in ('train', 'val', 'test'):
        changes += in_one_process(each)
    for each in ('val', 'test'):
        dataset = f'{each}_dataloader.dataset'
        changes += [f'{dataset}.data_root={split}/', f'{dataset}.ann_file=val.json']
        changes += [f'{dataset}.pipeline.1.scale={size}']
    model = 'model.segmentor' if name == 'online' else 'model'
    changes += [] if study.frozen else [f'{model}.backbone.frozen_stages=2']
    teacher = study.checkpoint(part, seed, TEACHER).resolve()
    if name == 'online':
        start = f'{model}.init_cfg'
        changes += [f'{start}.type=Pretrained', f'{start}.checkpoint={teacher}']
    elif not first:
        changes.append(f'load_from={teacher}')
    files = [('labeled.json', split)]
    if name == 'online':
        files.append(('unlabeled.json', split))
    elif pseudo:
        labels = study.folder(part, seed, f'labels of {name}').resolve()
        photos = photo_root(study.ann, read_coco(study.ann)).resolve()
        files.append((str(labels / 'annotations.json'), photos))
    several = len(files) > 1
    for place, (file, root) in enumerate(files):
        dataset = 'train_dataloader.dataset' + (f'.datasets.{place}' if several else '')
        changes += [f'{dataset}.data_root={root}/', f'{dataset}.ann_file={file}']
        changes += [f'{dataset}.pipeline.2.scale={size}', f'{dataset}.pipeline.0.keep=1000']
        changes += [f'{dataset}.cache_samples=True'] if study.frozen else []
    # As many labeled photos in each batch as without the others.
    changes.append(f'train_dataloader.batch_size={8 * len(files)}')
    return [*command, '--cfg-options', *changes]


def labeling(study: Study, name: str, part: int, seed: int) -> list[str]:
    """Return the arguments of make_pseudo.py."""
    arm = name.removeprefix('labels of ')
    labeler = 'pseudo 0.8' if arm == 'two rounds' else TEACHER
    command = [str(study.checkpoint(part, seed, labeler))]
    command += [str(study.folder(part, seed, SPLIT) / 'unlabeled.json')]
    command += ['--out', str(study.folder(part, seed, name)), *LABELING[arm]]
    if arm == 'pseudo ensemble':
        for member in MEMBERS:
            command += ['--model', CONFIG, str(study.checkpoint(part, seed, member))]
    return [*command, *(['--classes', study.classes] if study.classes else [])]


def score_of(study: Study, name: str, part: int, seed: int) -> float | None:
    """Return the mIoU, in percent, that a training ended with; None if it is not done."""
    folder = study.folder(part, seed, name)
    files = sorted(folder.glob('val/iter_*.json'))
    if not files or not (folder / 'done').is_file():
        return None
    return json.loads(files[-1].read_text(encoding='utf-8'))['metrics']['mIoU']
