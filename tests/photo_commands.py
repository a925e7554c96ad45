"""The commands that read many photos, and a folder for them to work in.

conftest.py imports the fixture.
"""

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'

ANN, MODEL, OUT = '{w}/set/ann.json', (TOY, '{w}/a.pth'), ('--out', '{w}/out')
COMMANDS = {
    'predict': ('tools/predict.py', *MODEL, ANN, *OUT),
    'predict a folder': ('tools/predict.py', *MODEL, '{w}/set/batch_01', *OUT),
    'submit': ('tools/submit.py', ANN, '--model', *MODEL, '--out', '{w}/out.csv'),
    'ensemble predict': ('tools/ensemble.py', 'predict', ANN, '--model', *MODEL, *OUT),
    'vote': ('tools/ensemble.py', 'vote', ANN, '--members', '{w}/in', '--overlays', *OUT),
    'crf': ('tools/crf.py', '{w}/in', ANN, *OUT),
    'make_pseudo': (
        *('tools/make_pseudo.py', *MODEL, ANN, '--exclude', '{w}/set/val.json'),
        *('--threshold', '0.1', *OUT),
    ),
    'statistics': ('data_prep/dataset_statistics.py', ANN, *OUT),
    'browse': ('tools/browse.py', ANN, '--out', '{w}/out.html'),
    'contact_sheet': ('tools/contact_sheet.py', ANN, '{w}/in/masks', '--out', '{w}/out.png'),
    'kfold': (*('data_prep/stratified_kfold.py', ANN, '--folds', 2, '--group-duplicates', *OUT),),
    'copy_paste': (
        *('data_prep/copy_paste.py', '--json-path', ANN, '--mode', 'new', '--aug-num', 1),
        *('--workers', 1, *OUT),
    ),
    'masks_to_coco': (
        *('data_prep/masks_to_coco.py', '{w}/in/masks', '--data-root', '{w}/set'),
        *('--out', '{w}/out.json'),
    ),
    'check': ('data_prep/check.py', ANN),
    'test': (
        *(
            'tools/test.py',
            *MODEL,
            '--data-root',
            '{w}/set',
            '--test-json',
            ANN,
            *OUT,
            '--overlays',
        ),
        *('--cfg-options', 'test_dataloader.num_workers=0'),
    ),
    'test a checkpoint alone': (
        *('tools/test.py', '{w}/a.pth', '--data-root', '{w}/set', '--test-json', ANN, *OUT),
    ),
    'report': (
        *('tools/report.py', '{w}/a.pth', '--data-root', '{w}/set', '--val-json', ANN),
        *('--out', '{w}/out.html'),
    ),
    'resize': ('data_prep/resize.py', ANN, '--size', 32, '--workers', 1, *OUT),
    'crf --tune': ('tools/crf.py', '{w}/in', ANN, '--tune', 1, '--out', '{w}/out.py'),
}


@pytest.fixture(scope='session')
def photo_world(toy_set, random_checkpoint, tmp_path_factory):
    """Labeled photos, their masks and probabilities, a model."""
    world = tmp_path_factory.mktemp('world')
    shutil.copytree(toy_set, world / 'set')
    shutil.copy(random_checkpoint, world / 'a.pth')
    # The checkpoint knows its validation photos, which get no pseudo labels.
    content = json.loads((toy_set / 'train.json').read_text())
    images = content['images'][:7]
    ids = {image['id'] for image in images}
    annotations = [a for a in content['annotations'] if a['image_id'] in ids]
    ann = world / 'set' / 'ann.json'
    ann.write_text(json.dumps(content | dict(images=images, annotations=annotations)))
    out = ['--out', world / 'in', '--probabilities']
    from conftest import outcome_of

    assert outcome_of('tools/predict.py', TOY, world / 'a.pth', ann, *out)[0] == 0
    return world
