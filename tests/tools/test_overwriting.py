"""No command writes over its own input, whatever link it is reached by."""

import json
import os
import shutil

import pytest
from conftest import ROOT, outcome_of
from PIL import Image

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture(scope='module')
def base(toy_set, random_checkpoint, tmp_path_factory):
    """Photos as PNG, so that a mask could take the name of one; annotations, and a model."""
    world = tmp_path_factory.mktemp('world')
    # The checkpoint knows its validation photos, which get no pseudo labels.
    content = json.loads((toy_set / 'train.json').read_text())
    content['images'] = content['images'][:4]
    ids = {image['id'] for image in content['images']}
    content['annotations'] = [a for a in content['annotations'] if a['image_id'] in ids]
    for image in content['images']:
        photo = Image.open(toy_set / image['file_name'])
        image['file_name'] = f'masks/{len(list(world.rglob("*.png")))}.png'
        (world / 'masks').mkdir(exist_ok=True)
        photo.save(world / image['file_name'])
    for name in ('ann', 'kfold_0_train', 'ann_pasted', 'predictions', 'train_all'):
        (world / f'{name}.json').write_text(json.dumps(content))
    shutil.copy(random_checkpoint, world / 'a.pth')
    out = ['--out', world / 'in', '--probabilities']
    photo = world / 'masks' / '0.png'
    assert outcome_of('tools/predict.py', TOY, world / 'a.pth', photo, *out)[0] == 0
    return world


ANN, MODEL = '{w}/ann.json', (TOY, '{w}/a.pth')
COMMANDS = {
    'predict': ('tools/predict.py', *MODEL, '{w}/masks', '--out', '{w}'),
    'predict a COCO file': ('tools/predict.py', *MODEL, '{w}/predictions.json', '--out', '{w}'),
    'predict a photo': ('tools/predict.py', *MODEL, '{w}/masks/0.png', '--out', '{w}'),
    'make_pseudo': (
        *('tools/make_pseudo.py', *MODEL, '{w}/masks', '--exclude', '{w}/none.json'),
        *('--out', '{w}'),
    ),
    'ensemble predict': (
        *('tools/ensemble.py', 'predict', '{w}/masks', '--model', *MODEL, '--out', '{w}'),
    ),
    'vote': (
        *('tools/ensemble.py', 'vote', '{w}/masks/0.png', '--members', '{w}/in'),
        *('--probabilities', '--force', '--out', '{w}/in'),
    ),
    'crf': (
        *('tools/crf.py', '{w}/in', '{w}/masks/0.png', '--probabilities', '--force'),
        *('--out', '{w}/in'),
    ),
    'average': ('tools/ensemble.py', 'average', '{w}/a.pth', '--out', '{w}/a.pth'),
    'convert_checkpoint': ('tools/convert_checkpoint.py', '{w}/a.pth', '--out', '{w}/a.pth'),
    'submit': ('tools/submit.py', ANN, '--model', *MODEL, '--out', ANN),
    'submit masks': ('tools/submit.py', ANN, '--masks', '{w}/truth', '--out', ANN),
    'copy_paste': (
        *('data_prep/copy_paste.py', '--json-path', '{w}/ann_pasted.json', '--mode', 'new'),
        *('--aug-num', 2, '--out', '{w}/pasted', '--workers', 1, '--force'),
    ),
    'oversample': ('data_prep/oversample.py', ANN, '--out', ANN),
    'kfold': ('data_prep/stratified_kfold.py', '{w}/kfold_0_train.json', '--out', '{w}'),
    'coco_to_masks': ('data_prep/coco_to_masks.py', ANN, '--out', '{w}', '--force'),
    'masks_to_coco': (
        *('data_prep/masks_to_coco.py', '{w}/truth/masks', '--data-root', '{w}/masks'),
        *('--force', '--out', '{w}/masks/0.png'),
    ),
    'check --fix': ('data_prep/check.py', ANN, '--fix', '{w}'),
    'check --json': ('data_prep/check.py', ANN, '--json', ANN),
    'browse': ('tools/browse.py', ANN, '--out', ANN),
    'contact_sheet': ('tools/contact_sheet.py', ANN, '{w}/truth', '--out', '{w}/masks/0.png'),
    'taco': (
        *('data_prep/taco_to_trash.py', '{w}/train_all.json', '--data-root', '{w}'),
        *('--out', '{w}'),
    ),
}


# Refused for what is there already, before the guard is asked.
OTHER_GUARD = ('taco', 'check --fix', 'submit masks')


@pytest.mark.parametrize('link', [False, True])
@pytest.mark.parametrize('command', COMMANDS)
def test_no_input_is_written_over(base, tmp_path, command, link):
    world = shutil.copytree(base, tmp_path / 'world')
    content = json.loads((world / 'ann.json').read_text())
    (world / 'none.json').write_text(
        json.dumps(content | dict(images=content['images'][:1], annotations=[]))
    )
    shutil.copytree(world / 'masks', world / 'truth' / 'masks')
    (world / 'pasted').mkdir()
    shutil.copy(world / 'ann.json', world / 'ann_pasted.json')
    if command == 'copy_paste':
        os.link(world / 'ann_pasted.json', world / 'pasted' / 'ann_pasted_pasted.json')
    before = {p: p.read_bytes() for p in world.rglob('*') if p.is_file()}
    arguments = [str(a).replace('{w}', str(world)) for a in COMMANDS[command]]
    if link:
        # The place to write to is reached by another name.
        (tmp_path / 'link').symlink_to(world, target_is_directory=True)
        place = [n for n, a in enumerate(arguments) if a in ('--out', '--fix', '--json')][-1] + 1
        arguments[place] = arguments[place].replace(str(world), str(tmp_path / 'link'))
    code, text = outcome_of(*arguments)
    assert code == 2 and ('is an input' in text or command in OTHER_GUARD), text
    assert {p: p.read_bytes() for p in world.rglob('*') if p.is_file()} == before
