"""Each mistake of a user is one message that names the file and the fix, and exit code 2."""

import importlib.util
import itertools
import json
import logging.config
import shutil

import pytest
import torch
from conftest import ROOT
from mmengine.logging import print_log

from mmseg_custom import cli

TOY = str(ROOT / 'configs' / 'upernet_swin_toy.py')
NO_WORKERS = [
    f'{loader}.num_workers=0'
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader')
]
SHORT = ['--cfg-options', 'train_cfg.max_iters=2', 'train_cfg.val_interval=2', *NO_WORKERS]


RUNS = itertools.count()


def unique_name() -> str:
    """MMEngine keeps a logger a name, and names runs by the second they begin in."""
    return f'experiment_name=run{next(RUNS)}'


def load_tool(name: str):
    spec = importlib.util.spec_from_file_location(f'tool_{name}', ROOT / 'tools' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(capfd):
    """Run a tool in this process; returns ``(exit code, what it wrote to standard error)``."""

    def call(name, *arguments):
        if '--cfg-options' in arguments:
            arguments = [*arguments, unique_name()]
        module = load_tool(name)
        with pytest.raises(SystemExit) as end:
            cli.main(module.build_parser, module.run, [*map(str, arguments)])
        return end.value.code, capfd.readouterr().err

    return call


@pytest.fixture
def toy(toy_set, tmp_path):
    """A copy of the toy set that may be spoilt."""
    return shutil.copytree(toy_set, tmp_path / 'toy')


def change(path, how):
    content = json.loads(path.read_text())
    how(content)
    path.write_text(json.dumps(content))


def first_image(content):
    return content['images'][0]


def spoil_text(toy):
    (toy / 'train.json').write_text('{"images": [')


def spoil_keys(toy):
    change(toy / 'train.json', lambda c: c['images'][3].pop('file_name'))


def spoil_no_images(toy):
    change(toy / 'train.json', lambda c: c.pop('images'))


def all_photos(toy):
    return [
        toy / image['file_name'] for image in json.loads((toy / 'train.json').read_text())['images']
    ]


def spoil_missing_photo(toy):
    all_photos(toy)[5].unlink()


def spoil_truncated_photo(toy):
    for photo in all_photos(toy):
        photo.write_bytes(photo.read_bytes()[:500])


def spoil_photo_size(toy):
    def how(content):
        for image in content['images']:
            image.update(width=80)
        content['annotations'] = []

    change(toy / 'train.json', how)


def spoil_category(toy):
    change(toy / 'train.json', lambda c: c['categories'][5].update(name='Banana'))


def spoil_points(toy):
    change(toy / 'train.json', lambda c: c['annotations'][0].update(segmentation=[[1, 2, 3, 4]]))


def spoil_nan(toy):
    nan = [[1, 2, 3, 4, 5, float('nan')]]
    change(toy / 'train.json', lambda c: c['annotations'][0].update(segmentation=nan))


def spoil_outside(toy):
    outside = [[1, 2, 300, 4, 5, 6]]
    change(toy / 'train.json', lambda c: c['annotations'][0].update(segmentation=outside))


def spoil_duplicate(toy):
    change(toy / 'train.json', lambda c: c['annotations'][1].update(id=0))


def spoil_absent_image(toy):
    change(toy / 'train.json', lambda c: c['annotations'][1].update(image_id=4711))


def spoil_empty(toy):
    change(toy / 'train.json', lambda c: c.update(images=[], annotations=[]))


def spoil_root(toy):
    shutil.rmtree(toy)


SPOILS = {
    spoil_text: ['train.json', 'does not parse', 'fetch or export'],
    spoil_keys: ['train.json', 'images[3] lacks "file_name"'],
    spoil_no_images: ['train.json', 'lacks the list "images"'],
    spoil_missing_photo: ['.jpg: no such photo (1 of 24', '--data-root'],
    spoil_truncated_photo: ['.jpg: the photo is truncated'],
    spoil_photo_size: ['.jpg: the photo is 64x64, the annotation file says 80x64'],
    spoil_category: ['train.json', "'Banana'", 'none of the 11 classes'],
    spoil_points: ['train.json: annotation 0', 'fewer than 3 points'],
    spoil_nan: ['train.json: annotation 0', 'NaN'],
    spoil_outside: ['train.json: annotation 0', 'outside the image'],
    spoil_duplicate: ['train.json: annotation id 0 occurs twice'],
    spoil_absent_image: ['train.json: annotation', 'image 4711'],
    spoil_empty: ['train.json: lists no image'],
    spoil_root: ['toy: no such data folder', 'make_toy_trash.py'],
}


@pytest.mark.parametrize('spoil', SPOILS, ids=lambda spoil: spoil.__name__)
def test_bad_data_stops_the_training(spoil, toy, tmp_path, run):
    spoil(toy)
    work_dir = tmp_path / 'work'
    code, said = run('train', TOY, '--data-root', toy, '--work-dir', work_dir, *SHORT)
    assert code == 2, said
    assert 'Traceback' not in said
    # The message may have a line for each category behind its first one.
    _, message = said.split(': error: ')
    for words in SPOILS[spoil]:
        assert words in message
    assert not work_dir.exists()


def test_a_failed_start_leaves_a_used_folder_as_it_was(checkpoint, toy, run):
    before = sorted(checkpoint.parent.rglob('*'))
    spoil_root(toy)
    code, _ = run('train', TOY, '--data-root', toy, '--work-dir', checkpoint.parent, *SHORT)
    assert code == 2
    assert sorted(checkpoint.parent.rglob('*')) == before


def test_after_a_failed_start_the_process_still_prints(toy, tmp_path, run):
    spoil_missing_photo(toy)
    code, _ = run('train', TOY, '--data-root', toy, '--work-dir', tmp_path / 'work', *SHORT)
    assert code == 2
    # Closes all files of logs, as a server does that starts in this process.
    logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False})
    print_log('a line', 'current')


def spoil_checkpoint(path, how):
    checkpoint = torch.load(path, weights_only=False)
    how(checkpoint)
    torch.save(checkpoint, path)


def other_classes(checkpoint):
    state = checkpoint['state_dict']
    for name in ('decode_head.conv_seg.weight', 'decode_head.conv_seg.bias'):
        state[name] = state[name][:5].clone()


def other_architecture(checkpoint):
    state = checkpoint['state_dict']
    checkpoint['state_dict'] = {f'net.{name}': value for name, value in state.items()}


def other_names(checkpoint):
    checkpoint['meta']['dataset_meta']['classes'] = ['cat', 'dog']


@pytest.fixture(scope='module')
def checkpoint(toy_set, tmp_path_factory):
    """A checkpoint of two iterations."""
    folder = tmp_path_factory.mktemp('checkpoint')
    module = load_tool('train')
    arguments = [TOY, '--data-root', str(toy_set), '--work-dir', str(folder), *SHORT, unique_name()]
    with pytest.raises(SystemExit) as end:
        cli.main(module.build_parser, module.run, arguments)
    assert end.value.code == 0
    return folder / 'iter_2.pth'


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (other_classes, 'another number of classes'),
        (other_architecture, 'another architecture'),
        (other_names, 'has 11 colors for 2 classes'),
    ],
)
@pytest.mark.parametrize('name', ['test', 'train'])
def test_a_checkpoint_of_another_model_is_refused(
    name, spoil, words, checkpoint, toy_set, tmp_path, run
):
    path = shutil.copy(checkpoint, tmp_path / 'other.pth')
    spoil_checkpoint(path, spoil)
    of_command = dict(
        test=[path, '--out', tmp_path / 'w'], train=['--resume', path, '--work-dir', tmp_path / 'w']
    )
    arguments = [TOY, *of_command[name], '--data-root', toy_set, *SHORT]
    code, said = run(name, *arguments)
    assert code == 2, said
    assert f'{path}: ' in said
    assert words in said
    assert 'Traceback' not in said
    assert not (tmp_path / 'w').exists()


def test_a_truncated_checkpoint_is_refused(checkpoint, toy_set, tmp_path, run):
    path = tmp_path / 'cut.pth'
    path.write_bytes(checkpoint.read_bytes()[:5000])
    arguments = [path, '--data-root', toy_set, '--out', tmp_path / 'w', *SHORT]
    code, said = run('test', TOY, *arguments)
    assert code == 2
    assert f'{path}: is truncated' in said


def test_weights_that_cannot_be_fetched_say_what_to_do(toy_set, tmp_path, run, monkeypatch):
    import urllib.error

    from mmengine.runner import checkpoint as mmengine_checkpoint

    def offline(*args, **kwargs):
        raise urllib.error.URLError('no network')

    monkeypatch.setattr(mmengine_checkpoint, 'load_url', offline)
    config = tmp_path / 'pretrained.py'
    weights = "dict(_delete_=True, type='Pretrained', checkpoint='https://x.test/a.pth')"
    config.write_text(f'_base_ = {TOY!r}\nmodel = dict(backbone=dict(init_cfg={weights}))\n')
    arguments = ['--data-root', toy_set, '--work-dir', tmp_path, *SHORT]
    code, said = run('train', config, *arguments)
    assert code == 2, said
    assert '--no-pretrained' in said
    assert 'no network' in said


def test_a_batch_of_one_says_what_to_do(toy_set, tmp_path, run):
    arguments = ['--data-root', toy_set, '--work-dir', tmp_path, '--batch-size', 1, *SHORT]
    code, said = run('train', TOY, *arguments)
    assert code == 2, said
    assert '--batch-size 2' in said


def test_a_folder_that_cannot_be_written_is_named(toy_set, tmp_path, run):
    blocked = tmp_path / 'file'
    blocked.write_text('')
    arguments = ['--data-root', toy_set, '--work-dir', blocked / 'w', *SHORT]
    code, said = run('train', TOY, *arguments)
    assert code == 2, said
    assert str(blocked) in said


@pytest.mark.parametrize(
    'arguments',
    [[], ['gone.py'], [TOY, '--epochs', '0'], [TOY, '--batch-size', 'x'], [TOY, '--seed', '-1']],
)
def test_argument_errors(arguments, run):
    code, said = run('train', *arguments)
    assert code == 2
    assert said.splitlines()[-1].startswith('train.py: error: ') or 'error: ' in said


def test_a_sheet_without_its_masks_is_refused(toy_set, tmp_path, run):
    out = tmp_path / 'sheet.png'
    code, said = run('contact_sheet', toy_set / 'val.json', tmp_path, '--out', out)
    assert code == 2
    assert 'no such mask file' in said
    assert not out.exists()
