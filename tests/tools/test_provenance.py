"""Results are kept only if nothing that they were made from has changed.

Every resumable command is run, one of its inputs is changed, and the same command is run again. It
must refuse, or write what a first run would write; it must never keep the old result.
"""

import contextlib
import io
import json
import runpy
import shutil
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from conftest import ROOT, call_tool
from PIL import Image

from mmseg_custom import cli
from mmseg_custom.classes import built_in

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
# The trials of a search hold times.
NOT_RESULTS = ('provenance.json', 'pseudo.json', '.trials')


@pytest.fixture(scope='module')
def base(toy_set, random_checkpoint, tmp_path_factory):
    """A small world: two labeled photos, a third one, an experiment, two models."""
    world = tmp_path_factory.mktemp('world')
    # The checkpoint knows its validation photos, which get no pseudo labels.
    content = json.loads((toy_set / 'train.json').read_text())
    images, other = content['images'][:2], content['images'][2]
    ids = {image['id'] for image in images}
    annotations = [a for a in content['annotations'] if a['image_id'] in ids]
    for image in images:
        (world / image['file_name']).parent.mkdir(exist_ok=True)
        shutil.copy(toy_set / image['file_name'], world / image['file_name'])
    (world / 'ann.json').write_text(
        json.dumps(content | dict(images=images, annotations=annotations))
    )
    (world / 'toy.py').write_text(f"_base_ = '{TOY}'\n")
    shutil.copy(random_checkpoint, world / 'a.pth')
    state = torch.load(random_checkpoint, weights_only=False)
    state['state_dict']['decode_head.conv_seg.weight'].mul_(-0.5)
    torch.save(state, world / 'b.pth')
    for name in 'ab':
        out = ['--out', world / f'{name}.onnx']
        code, text = call_in_process('tools/export.py', [TOY, world / f'{name}.pth', *out])
        assert code == 0, text
    # TACO's annotations are polygons.
    polygons = [a for a in annotations if isinstance(a['segmentation'], list)]
    (world / 'taco.json').write_text(
        json.dumps(content | dict(images=images, annotations=polygons))
    )
    write_video(world, 40)
    names = built_in().names[1:]
    (world / 'same.csv').write_text(''.join(f'{name},{name}\n' for name in names))
    # A photo that is kept out of pseudo labels.
    shutil.copy(toy_set / other['file_name'], world / other['file_name'])
    (world / 'none.json').write_text(json.dumps(content | dict(images=[other], annotations=[])))
    return world


def model(world, name='a.pth'):
    return [world / 'toy.py', world / name]


COMMANDS = {
    'predict': lambda w: ['tools/predict.py', *model(w), w / 'ann.json', '--overlays'],
    'predict alone': lambda w: ['tools/predict.py', w / 'a.pth', w / 'ann.json'],
    'predict onnx': lambda w: ['tools/predict.py', w / 'a.onnx', w / 'ann.json'],
    'submit': lambda w: ['tools/submit.py', w / 'ann.json', '--model', *model(w)],
    'ensemble predict': lambda w: [
        *('tools/ensemble.py', 'predict', w / 'ann.json'),
        *('--model', *model(w), '--model', *model(w, 'b.pth')),
    ],
    'make_pseudo': lambda w: [
        *('tools/make_pseudo.py', *model(w), w / 'ann.json'),
        *('--exclude', w / 'none.json', '--threshold', '0.1'),
    ],
    'vote': lambda w: [
        'tools/ensemble.py',
        'vote',
        w / 'ann.json',
        '--members',
        w / 'in',
        '--overlays',
    ],
    'crf': lambda w: ['tools/crf.py', w / 'in', w / 'ann.json'],
    'crf tune': lambda w: ['tools/crf.py', w / 'in', w / 'ann.json', '--tune', 1],
    'masks': lambda w: ['data_prep/coco_to_masks.py', w / 'ann.json'],
    'paste': lambda w: [
        *('data_prep/copy_paste.py', '--json-path', w / 'ann.json', '--mode', 'new'),
        *('--aug-num', 2, '--workers', 1),
    ],
    'resize': lambda w: [
        *('data_prep/resize.py', w / 'ann.json', '--size', 32, '--workers', 1),
    ],
    'taco': lambda w: [
        *('data_prep/taco_to_trash.py', w / 'taco.json', '--data-root', w, '--size', 24),
        *('--class-map', w / 'same.csv'),
    ],
    'predict video': lambda w: ['tools/predict.py', w / 'a.pth', w / 'v.avi'],
    'toy': lambda w: [
        *('data_prep/make_toy_trash.py', '--train', 1, '--val', 1, '--test', 1, '--size', 32),
    ],
}
FILES = {'submit': 's.csv', 'crf tune': 'crf.py'}


def other_photo(world):
    """Another photo of the same name, format and size."""
    path = min(world.glob('batch_*/*.jpg'))
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)


def other_config(world):
    path = world / 'toy.py'
    path.write_text(path.read_text() + 'model = dict(decode_head=dict(dropout_ratio=0.25))\n')


def other_weights(world):
    content = torch.load(world / 'a.pth', weights_only=False)
    content['state_dict']['decode_head.conv_seg.bias'] += torch.arange(11.0) * 5
    torch.save(content, world / 'a.pth')


def other_export(world):
    shutil.copy(world / 'b.onnx', world / 'a.onnx')


def other_classes(world):
    content = torch.load(world / 'a.pth', weights_only=False)
    content['meta']['dataset_meta']['classes'] = tuple('abcdefghijk')
    torch.save(content, world / 'a.pth')


def other_labels(world, name='ann.json'):
    content = json.loads((world / name).read_text())
    content['annotations'] = content['annotations'][1:]
    (world / name).write_text(json.dumps(content))


def other_input(world):
    """The input folder as another model predicts it."""
    predict_input(world, 'b.pth', '--force')


def one_input_result(world):
    """One photo of the input folder predicted again, since the photo was replaced."""
    other_photo(world)
    predict_input(world, 'a.pth')


def predict_input(world, name, *options):
    command = ['tools/predict.py', *model(world, name), world / 'ann.json', '--probabilities']
    run(command, world / 'in', *options)


def other_video(world):
    write_video(world, 255)


def write_video(world, shade):
    """Write frames, each of one shade."""
    size = 64, 64
    video = cv2.VideoWriter(str(world / 'v.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, size)
    for frame in range(2):
        video.write(np.full((*size, 3), abs(shade - 20 * frame), np.uint8))
    video.release()


def other_crf(world):
    return ['--crf', write_crf(world, 9.0)]


def write_crf(world, width):
    path = world / 'mine.py'
    path.write_text(f'crf = dict(bilateral_sxy={width}, iterations=2)\n')
    return path


def other_list(world):
    names = [*built_in().names]
    content = dict(names=[*names[3:], *names[:3]], background='Background')
    (world / 'list.yaml').write_text(yaml.safe_dump(content))
    return ['--classes', world / 'list.yaml']


def with_options(*options):
    return lambda world: list(options)


MODEL = dict(photo=other_photo, config=other_config, weights=other_weights)
CHANGES = {
    'predict': dict(
        **MODEL,
        classes=other_classes,
        tta=with_options('--tta', 'flip'),
        batch_size=with_options('--batch-size', 1),
    ),
    'predict alone': dict(
        photo=other_photo,
        weights=other_weights,
        classes=other_classes,
        tta=with_options('--tta', 'flip'),
    ),
    'predict onnx': dict(photo=other_photo, model=other_export, crf=with_options('--crf')),
    'submit': dict(**MODEL, tta=with_options('--tta', 'flip'), crf=with_options('--crf')),
    'ensemble predict': dict(
        **MODEL, weights_of_votes=with_options('--weights', 1, 3), hard=with_options('--hard')
    ),
    'make_pseudo': dict(
        **MODEL,
        tta=with_options('--tta', 'flip'),
        threshold=with_options('--threshold', '0.999'),
    ),
    'vote': dict(
        photo=other_photo,
        input=other_input,
        one=one_input_result,
        hard=with_options('--hard'),
    ),
    'crf': dict(
        photo=other_photo,
        input=other_input,
        one=one_input_result,
        option=with_options('--keep-small', '0.9'),
        crf=other_crf,
    ),
    'crf tune': dict(
        photo=other_photo,
        labels=other_labels,
        input=other_input,
        one=one_input_result,
        option=with_options('--keep-small', '0.9'),
    ),
    'masks': dict(labels=other_labels, classes=other_list, option=with_options('--min-pixels', 9)),
    'paste': dict(
        photo=other_photo,
        labels=other_labels,
        classes=other_list,
        seed=with_options('--seed', 5),
        option=with_options('--max-objects', 1),
    ),
    'resize': dict(photo=other_photo, labels=other_labels, option=with_options('--size', 24)),
    'taco': dict(
        photo=other_photo,
        labels=partial(other_labels, name='taco.json'),
        option=with_options('--size', 20),
    ),
    'predict video': dict(video=other_video, weights=other_weights),
    'toy': dict(seed=with_options('--seed', 9), option=with_options('--size', 40)),
}
CASES = [(command, change) for command, changes in CHANGES.items() for change in changes]


def run(command, out, *options):
    """Run a tool in this process; returns its exit code and what it wrote to standard error."""
    tool, *arguments = command
    target = out / FILES.get(out.name, '')
    return call_in_process(tool, [*arguments, '--out', target, *options])


def call_in_process(tool, arguments):
    module = runpy.run_path(str(ROOT / tool))
    written = io.StringIO()
    with contextlib.redirect_stderr(written), contextlib.redirect_stdout(written):
        try:
            cli.main(module['build_parser'], module['run'], [*map(str, arguments)])
        except SystemExit as end:
            return end.code, written.getvalue()
    raise AssertionError('the tool did not end')


def results(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file() and not path.name.endswith(NOT_RESULTS)
    }


@pytest.fixture(scope='module')
def made(base):
    """The world after each command has run once."""
    predict_input(base, 'a.pth')
    for name, command in COMMANDS.items():
        code, text = run(command(base), base / 'outs' / name)
        assert code == 0, text
    return base


@pytest.mark.parametrize('command', COMMANDS)
def test_the_same_command_keeps_all(made, tmp_path, command):
    world = shutil.copytree(made, tmp_path / 'world')
    out = world / 'outs' / command
    of_photos = [
        p for p in out.rglob('*.*') if p.parent.name == 'v' or p.parent.name[:5] == 'batch'
    ]
    before = {p: p.stat().st_mtime_ns for p in of_photos}
    assert before or command in ('paste', 'crf tune')
    code, text = run(COMMANDS[command](world), out)
    assert code == 0, text
    kept = {p: time for p, time in before.items() if p.stat().st_mtime_ns == time}
    # Pseudo labels are made from the confidences each time.
    expected = [p for p in before if command != 'make_pseudo' or 'confidence' in p.parts]
    assert set(expected) <= set(kept)


@pytest.mark.parametrize(('command', 'change'), CASES)
def test_nothing_is_kept_that_was_made_from_something_else(made, tmp_path, command, change):
    world = shutil.copytree(made, tmp_path / 'world')
    out = world / 'outs' / command
    before = results(out)
    options = CHANGES[command][change](world) or []
    code, text = run(COMMANDS[command](world), out, *options)
    if code == 2:
        assert results(out) == before
        assert str(out) in text
        assert 'start over with --force' in text
        code, text = run(COMMANDS[command](world), out, *options, '--force')
    elif change != 'threshold':
        # Pseudo labels are made from the confidences each time.
        assert 'made again' in text
    assert code == 0, text
    found = results(out)
    shutil.rmtree(out)
    code, text = run(COMMANDS[command](world), out, *options)
    assert code == 0, text
    assert found == results(out)


def test_a_checkpoint_alone_continues_what_its_config_began(made, tmp_path):
    """The experiment is the same: `CONFIG CHECKPOINT`, then `CHECKPOINT`, and the reverse."""
    world = shutil.copytree(made, tmp_path / 'world')
    for first, then in (('predict', 'predict alone'), ('predict alone', 'predict')):
        out = world / 'outs' / first
        before = {path: path.stat().st_mtime_ns for path in out.glob('masks/*/*.png')}
        command = [word for word in COMMANDS[then](world) if word != '--overlays']
        code, text = run(command, out)
        assert code == 0 and 'made again' not in text, text
        assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize('command', ['predict', 'predict alone', 'predict onnx'])
def test_another_class_list_is_refused_whatever_is_there(made, tmp_path, command):
    world = shutil.copytree(made, tmp_path / 'world')
    out, before = world / 'outs' / command, results(world / 'outs' / command)
    for options in (['--classes', 'recycle_trash_2021'], ['--classes', 'taco']):
        code, text = run(COMMANDS[command](world), out, *options)
        assert code == 2 and 'leave out --classes' in text
        assert results(out) == before


def test_a_dry_run_writes_nothing(made, tmp_path):
    world = shutil.copytree(made, tmp_path / 'world')
    other_photo(world)
    before = {p: p.read_bytes() for p in world.rglob('*') if p.is_file()}
    code, text = run(COMMANDS['predict'](world), world / 'outs' / 'predict', '--dry-run')
    assert code == 0 and '1 photos would be predicted, 1 are done' in text
    assert {p: p.read_bytes() for p in world.rglob('*') if p.is_file()} == before


def test_a_refusal_shows_what_differs(made, tmp_path, capsys):
    world = shutil.copytree(made, tmp_path / 'world')
    other_weights(world)
    other_config(world)
    tool, *arguments = COMMANDS['predict'](world)
    out = world / 'outs' / 'predict'
    error = call_tool(capsys, tool, *arguments, '--out', out, '--tta', 'flip', code=2).err
    rows = [line.split(':')[0].strip() for line in error.splitlines() if line.startswith('  ')]
    assert rows[:3] == ['config', 'weights', 'tta']
    assert "tta: was None, is 'flip'" in error


def test_scores_before_and_after_are_of_one_model(made, tmp_path):
    """`crf` compared one model's "before" with another one's "after"."""
    world = shutil.copytree(made, tmp_path / 'world')
    out = world / 'outs' / 'crf'
    other_input(world)
    code, text = run(COMMANDS['crf'](world), out)
    assert code == 2 and 'members.1.weights: was a.pth' in text


def test_results_inside_the_input_are_no_photos(made, tmp_path):
    """A second `predict C --out C/out` took its own masks for photos: 2, then 6."""
    world = shutil.copytree(made, tmp_path / 'world', ignore=shutil.ignore_patterns('outs', 'in'))
    command = ['tools/predict.py', *model(world), world, '--overlays']
    photos = len(list(world.glob('batch_*/*.jpg')))
    for _ in range(2):
        code, text = run(command, world / 'out')
        assert code == 0 and f'{photos} photos predicted' in text
    assert run(command, world / 'other')[0] == 0
    assert len(list((world / 'other' / 'masks').rglob('*.png'))) == photos


def test_a_copied_folder_of_results_is_continued(made, tmp_path):
    """Nothing in it names a place."""
    world = shutil.copytree(made, tmp_path / 'world')
    out = shutil.move(world / 'outs' / 'predict', tmp_path / 'elsewhere')
    assert str(made) not in (out / 'provenance.json').read_text()
    code, text = run(COMMANDS['predict'](world), out)
    assert code == 0 and 'made again' not in text
