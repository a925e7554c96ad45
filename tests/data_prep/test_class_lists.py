"""Another order of the classes permutes what every data command writes, nothing else changes."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import call_tool
from PIL import Image
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in, class_list

NAMES = list(built_in().names)
COLORS = {name: list(color) for name, color in zip(NAMES, built_in().mask_colors, strict=True)}


def permuted(seed: int, background: bool) -> dict:
    """Return a class list in another order; without a background, pixels may be ignored."""
    names = NAMES if background else NAMES[1:]
    order = np.random.default_rng(seed).permutation(len(names))
    colors = {name: COLORS[name] for name in names}
    content = dict(names=[names[i] for i in order], colors=colors, mask_colors=colors)
    return content | (dict(background='Background') if background else {})


@pytest.fixture(scope='module')
def outputs(toy_set, tmp_path_factory):
    """Run every data command with a class list; return a folder."""
    made: dict = {}

    def make(capsys, name: str, content: dict) -> Path:
        if name not in made:
            out = made[name] = tmp_path_factory.mktemp('lists') / 'out'
            file = out.parent / f'{name}.yaml'
            file.write_text(yaml.safe_dump(content, sort_keys=False))
            run_all(capsys, toy_set, out, ('--classes', file))
        return made[name]

    return make


def run_all(capsys, toy_set, out, classes):
    train, val = toy_set / 'train.json', toy_set / 'val.json'
    call_tool(capsys, 'data_prep/coco_to_masks.py', val, '--out', out / 'masks', *classes)
    back = ('--data-root', toy_set, '--out', out / 'back.json')
    call_tool(capsys, 'data_prep/masks_to_coco.py', out / 'masks', *back, *classes)
    call_tool(
        capsys, 'data_prep/stratified_kfold.py', train, '--folds', 3, '--out', out / 'k', *classes
    )
    target = ('--out', out / 'repeated.json')
    call_tool(capsys, 'data_prep/oversample.py', train, '--threshold', 0.6, *target, *classes)
    paste = ('--json-path', train, '--out', out / 'paste', '--mode', 'new', '--aug-num', 5)
    call_tool(capsys, 'data_prep/copy_paste.py', *paste, '--workers', 1, *classes)
    stats = ('--out', out / 'stats')
    call_tool(capsys, 'data_prep/dataset_statistics.py', train, val, *stats, *classes)
    found = ('--no-photos', '--json', out / 'found.json', '--fix', out / 'fixed')
    call_tool(capsys, 'data_prep/check.py', train, *found, *classes)
    small = ('--out', out / 'small', '--size', 31, '--workers', 1)
    call_tool(capsys, 'data_prep/resize.py', val, *small, *classes)
    for path in (out / 'masks').rglob('*.png'):
        # A model knows no ignored pixels.
        mask = np.array(Image.open(path))
        target = out / 'predicted' / path.relative_to(out / 'masks')
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.where(mask == 255, 0, mask).astype(np.uint8)).save(target)
    page = ('--predictions', out / 'predicted', '--out', out / 'browse.html')
    call_tool(capsys, 'tools/browse.py', val, *page, *classes)
    sheet = (val, out / 'predicted', '--count', 2, '--out', out / 'sheet.png')
    call_tool(capsys, 'tools/contact_sheet.py', *sheet, *classes)


LISTS = {
    'permuted': permuted(1, True),
    'bare': permuted(2, False),
}


def by_name(path: Path, key: str = 'segmentation') -> list:
    """What pycocotools finds: photo, class and outline of each annotation."""
    api = COCO(str(path))
    assert all(api.annToMask(entry).any() for entry in api.anns.values())
    return sorted(
        (api.imgs[a['image_id']]['file_name'], api.cats[a['category_id']]['name'], repr(a[key]))
        for a in api.anns.values()
    )


@pytest.mark.parametrize('name', LISTS)
def test_a_permuted_list_permutes_every_output(outputs, toy_set, capsys, name):
    classes = class_list(LISTS[name])
    plain = outputs(capsys, 'plain', permuted_back())
    other = outputs(capsys, name, LISTS[name])
    new_label = np.full(256, 255, np.uint8)
    for label, title in enumerate(NAMES):
        found = classes.label_of(title)
        new_label[label] = classes.unlabeled if found is None else found
    paths = sorted((plain / 'masks').rglob('*.png'))
    assert len(paths) == 7
    for path in paths:
        with Image.open(path) as one, Image.open(other / path.relative_to(plain)) as two:
            np.testing.assert_array_equal(new_label[np.array(one)], np.array(two))
            if classes.background is not None:
                assert one.convert('RGB').tobytes() == two.convert('RGB').tobytes()
    for file in ('back.json', 'repeated.json', 'paste/train_pasted.json', 'small/val.json',
                 'fixed/train.json', *(f'k/kfold_{i}_val.json' for i in range(3))):  # fmt: skip
        assert by_name(plain / file) == by_name(other / file)
    for photo in (plain / 'paste' / 'pasted').iterdir():
        assert photo.read_bytes() == (other / 'paste' / 'pasted' / photo.name).read_bytes()
    assert (plain / 'found.json').read_bytes() == (other / 'found.json').read_bytes()
    compare_statistics(*((out / 'stats' / 'statistics.json') for out in (plain, other)), classes)
    if classes.background is not None:
        same_order = permuted_back()['names'] == LISTS[name]['names']
        sheets = [(out / 'sheet.png').read_bytes() for out in (plain, other)]
        assert same_order or sheets[0] != sheets[1]


def permuted_back() -> dict:
    return dict(names=NAMES, background='Background', colors=COLORS, mask_colors=COLORS)


def compare_statistics(plain: Path, other: Path, classes) -> None:
    one, two = (json.loads(path.read_text()) for path in (plain, other))
    places = [two_names.index(name) for two_names in [[e['name'] for e in two['classes']]]
              for name in NAMES[1:]]  # fmt: skip
    background = classes.background is not None
    for place, entry in enumerate(one['classes'][1:]):
        found = two['classes'][places[place]]
        shown = {key: value for key, value in entry.items() if background or key != 'pixel_share'}
        assert shown.items() <= found.items()
        assert one['examples'][place + 1] == two['examples'][places[place]]
        assert one['positions'][place + 1] == two['positions'][places[place]]
        row = two['co_occurrence'][places[place]]
        assert one['co_occurrence'][place + 1][1:] == [row[p] for p in places]
    for what in ('annotations', 'pixels'):
        # Order of the classes beside the background, which the comparison leaves out.
        columns = [[n for n in range(len(classes)) if n != classes.background].index(p)
                   for p in places]  # fmt: skip
        for mine, theirs in zip(one['comparison'][what]['shares'],
                                two['comparison'][what]['shares'], strict=True):  # fmt: skip
            assert mine == pytest.approx([theirs[column] for column in columns])
    for key in ('images', 'annotations', 'objects_per_image', 'object_sizes', 'image_sizes',
                'photos'):  # fmt: skip
        assert one[key] == two[key]


def test_one_class(outputs, toy_set, tmp_path, capsys):
    """Everything is litter: eleven categories by one class map."""
    (tmp_path / 'map.yaml').write_text(''.join(f'{name}: Litter\n' for name in NAMES[1:]))
    (tmp_path / 'one.yaml').write_text('names: [Background, Litter]\nbackground: Background\n')
    options = ('--classes', tmp_path / 'one.yaml', '--class-map', tmp_path / 'map.yaml')
    call_tool(capsys, 'data_prep/coco_to_masks.py', toy_set / 'val.json', '--out', tmp_path / 'm',
              *options)  # fmt: skip
    plain = outputs(capsys, 'plain', permuted_back())
    for path in (plain / 'masks').rglob('*.png'):
        other = tmp_path / 'm' / path.relative_to(plain / 'masks')
        np.testing.assert_array_equal(np.array(Image.open(path)) > 0, np.array(Image.open(other)))
    arguments = ('--folds', 2, '--out', tmp_path / 'k', *options)
    call_tool(capsys, 'data_prep/stratified_kfold.py', toy_set / 'train.json', *arguments)
    for path in (tmp_path / 'k').glob('*.json'):
        assert [c['name'] for c in COCO(str(path)).cats.values()] == ['Litter']
