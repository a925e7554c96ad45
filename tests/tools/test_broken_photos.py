"""A hostile or damaged photo is named and skipped by every command that reads many."""

import io
import json
import shutil
import zlib

import pytest
from conftest import ROOT, outcome_of
from PIL import Image

from mmseg_custom.coco.jpeg_scans import MAX_SCANS
from mmseg_custom.utils import UserError

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


def truncated(path):
    path.write_bytes(path.read_bytes()[:-300])


def giant(path):
    """A header of 40000x40000 pixels, and a tail."""
    file = io.BytesIO()
    Image.new('L', (8, 8)).save(file, 'PNG')
    content = bytearray(file.getvalue())
    content[16:24] = (40_000).to_bytes(4, 'big') * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, 'big')
    path.write_bytes(bytes(content) + b'\0' * 100)


def many_scans(path):
    file = io.BytesIO()
    Image.open(path).save(file, 'JPEG', progressive=True)
    content = file.getvalue()
    last = content.rindex(b'\xff\xda')
    scans = content[last:-2] * (MAX_SCANS + 1)
    path.write_bytes(content[:last] + scans + b'\xff\xd9')


HOSTILE = {'truncated': truncated, 'giant': giant, 'many scans': many_scans}


@pytest.fixture(scope='module')
def base(toy_set, random_checkpoint, tmp_path_factory):
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
    assert outcome_of('tools/predict.py', TOY, world / 'a.pth', ann, *out)[0] == 0
    return world


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


@pytest.mark.parametrize('command', COMMANDS)
def test_it_is_named_and_skipped(base, tmp_path, command):
    world = shutil.copytree(base, tmp_path / 'world')
    content = json.loads((world / 'set' / 'ann.json').read_text())
    photos = [world / 'set' / image['file_name'] for image in content['images']]
    for photo, make in zip(photos, HOSTILE.values(), strict=False):
        make(photo)
    arguments = [str(a).replace('{w}', str(world)) for a in COMMANDS[command]]
    code, text = outcome_of(*arguments)
    assert code == 1, text
    for photo in photos[: len(HOSTILE)]:
        assert photo.name in text
    assert 'megapixels' in text and 'scans' in text and 'truncated' in text
    assert 'Traceback' not in text
    if command not in ('check', 'submit'):
        assert [path for path in world.glob('out*') if path.is_file() or any(path.rglob('*.*'))]


def test_a_test_counts_the_others_only(base, tmp_path):
    """The scores are those of a file that does not list the broken photos."""
    world = shutil.copytree(base, tmp_path / 'world')
    content = json.loads((world / 'set' / 'ann.json').read_text())
    names = [image['file_name'] for image in content['images']]
    truncated(world / 'set' / names[0])
    giant(world / 'set' / names[1])
    rest = content['images'][2:]
    ids = {image['id'] for image in rest}
    annotations = [one for one in content['annotations'] if one['image_id'] in ids]
    rest_file = world / 'set' / 'rest.json'
    rest_file.write_text(json.dumps(content | dict(images=rest, annotations=annotations)))
    found = []
    for name, code in (('ann', 1), ('rest', 0)):
        out = world / f'out_{name}'
        arguments = ['--data-root', world / 'set', '--test-json', world / 'set' / f'{name}.json']
        assert (
            outcome_of('tools/test.py', TOY, world / 'a.pth', *arguments, '--out', out)[0] == code
        )
        found.append(json.loads((out / 'metrics.json').read_text()))
    assert found[0]['metrics'] == found[1]['metrics']
    assert found[0]['confusion_matrix'] == found[1]['confusion_matrix']
    assert [names[place] in text for place, text in enumerate(found[0]['skipped'])] == [True, True]
    masks = {path.relative_to(world / 'out_ann') for path in (world / 'out_ann').rglob('*.png')}
    assert len(masks) == len(names) - 2


@pytest.mark.parametrize('spoil', HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize('listed', [False, True])
def test_online_training_takes_the_next_photo(toy_set, tmp_path, spoil, listed):
    from mmseg_custom.datasets import UnlabelledPhotos

    data = shutil.copytree(toy_set, tmp_path / 'data')
    source = data / 'test.json' if listed else data / 'batch_03'
    pipeline = [dict(type='LoadTrashImage')]
    photos = sorted((data / 'batch_03').iterdir())
    made = UnlabelledPhotos(ann_file=str(source), data_root=str(data), pipeline=pipeline)
    spoil(photos[0])
    for _ in range(2):
        assert made[0]['img_path'] == str(photos[1])
    assert len(made.skipped) == 1 and photos[0].name in made.skipped[0]
    for photo in photos[1:]:
        spoil(photo)
    with pytest.raises(UserError, match='none of its'):
        made[0]


def test_online_training_lists_the_others(toy_set, tmp_path):
    from mmseg_custom.datasets import UnlabelledPhotos

    folder = shutil.copytree(toy_set / 'batch_02', tmp_path / 'photos')
    photos = sorted(folder.iterdir())
    giant(photos[0])
    Image.open(photos[1]).save(folder / 'b.WEBP')
    found = UnlabelledPhotos(ann_file=str(folder), pipeline=[])
    assert len(found) == len(photos)
