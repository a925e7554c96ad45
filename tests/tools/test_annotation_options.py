"""Every command that reads annotations takes several files and a class map."""

import json
import runpy

import pytest
from conftest import ROOT, call_tool
from processes import run_to_end
from products import LARGE_CLASSIFIER
from test_advice import OPTIONS, TOOLS

from mmseg_custom.checkpoints.checkpoint import classes_of
from mmseg_custom.checkpoints.safe_load import load_checkpoint

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
# They read photos or masks, whose files name no category.
WITHOUT_CATEGORIES = {
    'predict', 'make_pseudo', 'export', 'serve', 'sorting_guide', 'masks_to_coco',
}  # fmt: skip


@pytest.mark.parametrize('name', sorted(TOOLS))
def test_who_takes_classes_and_reads_categories_takes_a_class_map(name):
    reads = '--measure' in OPTIONS[name] or '--classes' in OPTIONS[name]
    if reads and name not in WITHOUT_CATEGORIES:
        assert '--class-map' in OPTIONS[name]


@pytest.mark.parametrize('name', sorted(TOOLS))
def test_who_reads_annotations_takes_several_files(name):
    parser = runpy.run_path(str(TOOLS[name]))['build_parser']()
    parsers = [parser]
    for action in parser._actions:
        choices = getattr(action, 'choices', None)
        parsers += choices.values() if isinstance(choices, dict) else ()
    for one in parsers:
        for action in one._actions:
            is_ann = action.dest in ('ann', 'json_path', 'train_json', 'val_json', 'test_json')
            assert not is_ann or action.nargs == '+', action.dest


@pytest.fixture(scope='module')
def renamed(toy_set, tmp_path_factory):
    """Two halves of the validation set in a language of their own, and a class map."""
    folder = tmp_path_factory.mktemp('renamed')
    lines = []
    for name in ('val', 'train'):
        content = json.loads((toy_set / f'{name}.json').read_text())
        lines = [f'"klasse {c["id"]}": {c["name"]}\n' for c in content['categories']]
        for category in content['categories']:
            category['name'] = f'klasse {category["id"]}'
        content['info'] = dict(data_root=str(toy_set))
        for part in (0, 1):
            middle = len(content['images']) // 2
            images = content['images'][middle:] if part else content['images'][:middle]
            ids = {image['id'] for image in images}
            annotations = [a for a in content['annotations'] if a['image_id'] in ids]
            path = folder / f'{name}_{part}.json'
            path.write_text(json.dumps(content | dict(images=images, annotations=annotations)))
    (folder / 'map.yaml').write_text(''.join(lines))
    return folder


def test_other_names_and_several_files_measure_the_same(
    renamed, toy_set, random_checkpoint, tmp_path, capsys
):
    halves = [renamed / 'val_0.json', renamed / 'val_1.json']
    mapped = ['--class-map', renamed / 'map.yaml']
    root = ['--data-root', toy_set]
    found = []
    for ann, options in (([toy_set / 'val.json'], []), (halves, mapped)):
        out = tmp_path / str(len(ann))
        test = ['--test-json', *ann, *root, *options, '--out', out / 'test']
        call_tool(capsys, 'tools/test.py', random_checkpoint, *test)
        predict = [*ann, *root, '--probabilities', '--out', out / 'pred']
        call_tool(capsys, 'tools/predict.py', random_checkpoint, *predict)
        crf = [out / 'pred', *ann, *root, *options, '--out', out / 'crf']
        call_tool(capsys, 'tools/crf.py', *crf)
        members = ['--members', out / 'pred', *root, *options, '--trials', 2]
        weights = ['--out', out / 'weights.json']
        call_tool(capsys, 'tools/ensemble.py', 'search', *ann, *members, *weights)
        metrics = json.loads((out / 'test' / 'metrics.json').read_text())
        scores = json.loads((out / 'crf' / 'crf.json').read_text())
        alone = json.loads((out / 'weights.json').read_text())['alone']
        found.append((metrics['metrics'], metrics['confusion_matrix'], scores, alone))
    assert found[0] == found[1]


def test_without_the_map_the_names_are_refused(
    renamed, toy_set, random_checkpoint, tmp_path, capsys
):
    test = ['--test-json', renamed / 'val_0.json', '--data-root', toy_set, '--out', tmp_path]
    said = call_tool(capsys, 'tools/test.py', random_checkpoint, *test, code=2).err
    assert "'klasse " in said
    assert '--class-map' in said


def test_a_training_sees_the_same_photos_and_its_checkpoint_knows_the_map(
    renamed, toy_set, tmp_path, capsys
):
    halves = [renamed / 'train_0.json', renamed / 'train_1.json']
    mapped = ['--class-map', renamed / 'map.yaml']
    root = ['--data-root', toy_set]
    pictures = []
    for ann, options in (([toy_set / 'train.json'], []), (halves, mapped)):
        pictures.append(tmp_path / f'{len(ann)}.png')
        more = ['--train-json', *ann, *options, '--count', 3, '--out', pictures[-1]]
        call_tool(capsys, 'tools/show_samples.py', TOY, *root, *more)
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    val = ['--val-json', renamed / 'val_0.json', renamed / 'val_1.json']
    work = tmp_path / 'work'
    run_to_end(
        'tools/train.py', TOY, *root, '--train-json', *halves, *val, *mapped, '--work-dir', work,
        '--cfg-options', 'train_cfg.max_iters=1', 'train_cfg.val_interval=1', *LARGE_CLASSIFIER,
    )  # fmt: skip
    checkpoint = work / 'iter_1.pth'
    classes = classes_of(load_checkpoint(checkpoint), checkpoint)
    assert dict(classes.class_map)['klasse 1'] in classes.names
    # What it was trained with holds in later commands, also beside --classes.
    for options in ([], ['--classes', 'recycle_trash']):
        out = tmp_path / f'tested_{len(options)}'
        call_tool(capsys, 'tools/test.py', checkpoint, *options, '--out', out)
        metrics = json.loads((out / 'metrics.json').read_text())
        (measured,) = (work / 'val').glob('iter_*.json')
        assert metrics['confusion_matrix'] == json.loads(measured.read_text())['confusion_matrix']
