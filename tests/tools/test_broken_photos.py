"""A hostile or damaged photo is named and skipped by every command that reads many."""

import io
import json
import shutil
import zlib

import pytest
from conftest import outcome_of
from photo_commands import COMMANDS, TOY
from PIL import Image

from mmseg_custom.coco.jpeg_scans import MAX_SCANS
from mmseg_custom.utils import UserError


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


@pytest.mark.parametrize('command', COMMANDS)
def test_it_is_named_and_skipped(photo_world, tmp_path, command):
    world = shutil.copytree(photo_world, tmp_path / 'world')
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


def test_a_test_counts_the_others_only(photo_world, tmp_path):
    """The scores are those of a file that does not list the broken photos."""
    world = shutil.copytree(photo_world, tmp_path / 'world')
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
