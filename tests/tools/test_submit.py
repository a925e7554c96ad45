import csv
import json

import numpy as np
import pytest
from conftest import ROOT, call_tool
from PIL import Image

from mmseg_custom.classes import built_in
from mmseg_custom.coco import load_mask, save_mask

TOOL = 'tools/submit.py'


@pytest.fixture
def photos(tmp_path):
    """Two photos and their predicted masks, one of another size than the contest's."""
    images = [
        dict(id=0, file_name='batch_01/a.jpg', height=512, width=512),
        dict(id=1, file_name='batch_02/a.jpg', height=100, width=60),
    ]
    (tmp_path / 'test.json').write_text(json.dumps(dict(images=images)))
    rng = np.random.default_rng(0)
    for image in images:
        mask = rng.integers(0, 11, (image['height'], image['width']), np.uint8)
        save_mask(tmp_path / 'masks' / image['file_name'].replace('.jpg', '.png'), mask, built_in())
    return tmp_path


def write(capsys, photos):
    arguments = ['--masks', photos / 'masks', '--out', photos / 's.csv']
    call_tool(capsys, TOOL, photos / 'test.json', *arguments)
    csv.field_size_limit(2**30)
    with open(photos / 's.csv', newline='') as file:
        return list(csv.reader(file))


def test_a_submission_holds_the_masks_row_by_row_at_half_size(photos, capsys):
    rows = write(capsys, photos)
    assert rows[0] == ['image_id', 'PredictionString']
    assert [row[0] for row in rows[1:]] == ['batch_01/a.jpg', 'batch_02/a.jpg']
    mask = load_mask(photos / 'masks' / 'batch_01' / 'a.png', 512, 512, built_in())
    # Every second pixel of every second row, as Pillow picks or one beside it.
    assert rows[1][1].split() == [str(v) for v in mask[::2, ::2].ravel()]
    assert len(rows[2][1].split()) == 256 * 256


def test_written_checked_and_read_back_it_is_the_same(photos, capsys):
    rows = write(capsys, photos)
    done = call_tool(capsys, TOOL, photos / 'test.json', '--check', photos / 's.csv')
    assert 'valid, 2 photos' in done.out
    arguments = ['--from-csv', photos / 's.csv', '--out', photos / 'back']
    call_tool(capsys, TOOL, photos / 'test.json', *arguments)
    for name, text in rows[1:]:
        back = np.array(Image.open(photos / 'back' / name.replace('.jpg', '.png')))
        assert back.ravel().tolist() == [int(word) for word in text.split()]


ZEROS = ' '.join(['0'] * 65536)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('id,mask\n', 'the first line is image_id,PredictionString'),
        ('image_id,PredictionString\na.jpg\n', 'line 2: has 1 fields'),
        ('image_id,PredictionString\na.jpg,0 1 2\n', 'has 3 numbers, not 65536'),
        (f'image_id,PredictionString\na.jpg,{ZEROS[:-1]}11\n', 'a.jpg has 11; labels are 0 to 10'),
        (f'image_id,PredictionString\na.jpg,{ZEROS[:-1]}-1\n', 'a.jpg has -1'),
        (f'image_id,PredictionString\na.jpg,{ZEROS[:-1]}x\n', 'a.jpg has x'),
        (f'image_id,PredictionString\na.jpg,{ZEROS}\na.jpg,{ZEROS}\n', 'a.jpg occurs twice'),
        (f'image_id,PredictionString\nbatch_01/a.jpg,{ZEROS}\n', 'lacks batch_02/a.jpg'),
    ],
)
def test_what_is_wrong_is_told_by_line(photos, capsys, text, message):
    (photos / 's.csv').write_text(text)
    done = call_tool(capsys, TOOL, photos / 'test.json', '--check', photos / 's.csv', code=2)
    assert message in done.err


def test_mistakes_are_one_line(photos, capsys):
    masks = ['--masks', photos / 'masks']
    assert '--out is missing' in call_tool(capsys, TOOL, photos / 'test.json', *masks, code=2).err
    done = call_tool(capsys, TOOL, photos / 'test.json', '--check', photos / 'gone.csv', code=2)
    assert 'no such submission' in done.err
    (photos / 'masks' / 'batch_02' / 'a.png').unlink()
    arguments = [*masks, '--out', photos / 'new.csv']
    assert (
        'no such mask file' in call_tool(capsys, TOOL, photos / 'test.json', *arguments, code=2).err
    )
    assert not (photos / 'new.csv').exists()


def test_a_model_writes_what_its_masks_say(toy_set, random_checkpoint, tmp_path, capsys):
    config, ann = ROOT / 'configs' / 'upernet_swin_toy.py', toy_set / 'test.json'
    model = ('--model', config, random_checkpoint)
    call_tool(capsys, TOOL, ann, *model, '--out', tmp_path / 'a.csv')
    command = (config, random_checkpoint, ann, '--out', tmp_path / 'predicted', '--batch-size', 1)
    call_tool(capsys, 'tools/predict.py', *command)
    masks = ('--masks', tmp_path / 'predicted' / 'masks')
    call_tool(capsys, TOOL, ann, *masks, '--out', tmp_path / 'b.csv')
    assert (tmp_path / 'a.csv').read_bytes() == (tmp_path / 'b.csv').read_bytes()
    call_tool(capsys, TOOL, ann, '--check', tmp_path / 'a.csv')


def test_a_submission_with_a_byte_order_mark_is_read(photos, capsys):
    """A spreadsheet writes one."""
    write(capsys, photos)
    text = (photos / 's.csv').read_text(encoding='utf-8')
    (photos / 'marked.csv').write_text(text, encoding='utf-8-sig')
    said = call_tool(capsys, TOOL, photos / 'test.json', '--check', photos / 'marked.csv').out
    assert 'marked.csv: valid, 2 photos' in said
