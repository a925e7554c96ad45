"""Every command that runs a model follows its class list, whatever the list is."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from class_orders import LISTS, permute
from conftest import ROOT, call_tool, tool
from processes import run_to_end
from products import LARGE_CLASSIFIER
from pycocotools.coco import COCO
from shared_builds import assert_unchanged, built_once

from mmseg_custom.checkpoints.checkpoint import classes_of
from mmseg_custom.checkpoints.safe_load import load_checkpoint
from mmseg_custom.classes import ClassList, built_in, class_list
from mmseg_custom.coco import load_mask
from mmseg_custom.coco.result_classes import read_classes
from mmseg_custom.prediction.probabilities import path_of, read_probabilities

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
ONE_STEP = ['train_cfg.max_iters=1', 'train_cfg.val_interval=1', *LARGE_CLASSIFIER]


def rename_all(path: Path, name: str) -> None:
    """Let every object of a COCO file be of one class."""
    content = json.loads(path.read_text())
    content['categories'] = [dict(id=5, name=name)]
    for annotation in content.get('annotations', []):
        annotation['category_id'] = 5
    path.write_text(json.dumps(content))


@pytest.fixture(scope='session', params=LISTS)
def product(request, toy_set, tmp_path_factory, worker_id):
    """Class list, data, and work folder of a training with a class list of its own."""

    def train(folder: Path) -> None:
        (folder / 'list.yaml').write_text(yaml.safe_dump(LISTS[request.param]))
        data = folder / 'data'
        data.mkdir()
        for path in toy_set.iterdir():
            (data / path.name).symlink_to(path) if path.is_dir() else None
        for name in ('train', 'val', 'test'):
            (data / f'{name}.json').write_bytes((toy_set / f'{name}.json').read_bytes())
            if request.param == 'one':
                rename_all(data / f'{name}.json', 'Litter')
        arguments = [TOY, '--data-root', data, '--work-dir', folder / 'work', '--seed', 0]
        arguments += ['--classes', folder / 'list.yaml', '--cfg-options', *ONE_STEP]
        run_to_end('tools/train.py', *arguments)

    folder = built_once(tmp_path_factory, worker_id, f'classes_{request.param}', train)
    yield class_list(folder / 'list.yaml'), folder / 'data', folder / 'work'
    assert_unchanged(folder)


def read_back(path: Path, classes: ClassList) -> COCO:
    """Let pycocotools read a COCO file, and compare its categories with the class list."""
    api = COCO(str(path))
    named = {category['id']: category['name'] for category in api.loadCats(api.getCatIds())}
    assert named == {label: classes.names[label] for label in classes.foreground}
    return api


def painted(api: COCO, image: dict, classes: ClassList) -> np.ndarray:
    mask = np.full((image['height'], image['width']), classes.unlabeled, np.uint8)
    for annotation in api.loadAnns(api.getAnnIds(image['id'])):
        mask[api.annToMask(annotation) == 1] = annotation['category_id']
    return mask


def assert_describes(out: Path, classes: ClassList) -> None:
    """The masks of a folder of predictions, and the JSON beside them, say the same."""
    api = read_back(out / 'predictions.json', classes)
    assert read_classes(out) == read_classes(out / 'masks') == classes
    for image in api.loadImgs(api.getImgIds()):
        path = (out / 'masks' / image['file_name']).with_suffix('.png')
        mask = load_mask(path, image['height'], image['width'], classes)
        assert np.array_equal(painted(api, image, classes), mask)


def test_a_training_and_its_test_know_the_classes(product, tmp_path, capsys):
    classes, data, work = product
    checkpoint = work / 'iter_1.pth'
    assert classes_of(load_checkpoint(checkpoint), checkpoint) == classes
    measured = json.loads(next((work / 'val').glob('iter_*.json')).read_text())
    assert measured['classes'] == list(classes.names)
    # The experiment's file says nothing of the classes: the checkpoint does.
    call_tool(capsys, 'tools/test.py', TOY, checkpoint, '--data-root', data, '--out', tmp_path)
    report = json.loads((tmp_path / 'metrics.json').read_text())
    assert report['classes'] == list(classes.names)
    assert report['confusion_matrix'] == measured['confusion_matrix']
    assert read_classes(tmp_path / 'masks') == classes


def test_predictions_of_every_kind_name_the_right_classes(product, tmp_path, capsys):
    classes, data, work = product
    val, model = data / 'val.json', [TOY, work / 'iter_1.pth']
    roots = ['--data-root', data]
    out, crf, vote, onnx_out = (tmp_path / name for name in ('out', 'crf', 'vote', 'onnx'))
    call_tool(
        capsys, 'tools/predict.py', *model, val, *roots, '--probabilities', '--overlays',
        '--out', out,
    )  # fmt: skip
    call_tool(capsys, 'tools/crf.py', out, val, *roots, '--probabilities', '--out', crf)
    members = ['--members', out, crf, *roots]
    call_tool(capsys, 'tools/ensemble.py', 'vote', val, *members, '--out', vote)
    exported = tmp_path / 'model.onnx'
    call_tool(capsys, 'tools/export.py', *model, '--out', exported)
    call_tool(capsys, 'tools/predict.py', exported, val, *roots, '--out', onnx_out)
    for folder in (out, crf, vote, onnx_out):
        assert_describes(folder, classes)
    metadata = {p.key: json.loads(p.value) for p in onnx.load(exported).metadata_props if p.key in (
        'classes', 'palette', 'class_list')}  # fmt: skip
    assert metadata['classes'] == list(classes.names)
    assert class_list(metadata['class_list']) == classes
    searched = tmp_path / 'weights.json'
    said = call_tool(
        capsys, 'tools/ensemble.py', 'search', val, *members, '--trials', 3,
        '--out', searched,
    ).out  # fmt: skip
    scored = json.loads((crf / 'crf.json').read_text())
    assert json.loads(searched.read_text())['alone'][0] == pytest.approx(scored['before']['mIoU'])
    assert 'equal weights' in said


def test_pseudo_labels_teach_the_same_classes(product, tmp_path, capsys):
    classes, data, work = product
    name = classes.names[classes.foreground[0]]
    options = ['--exclude', data / 'val.json', '--threshold', '0', f'{name}=0.5']
    arguments = [TOY, work / 'iter_1.pth', data / 'test.json', '--data-root', data, *options]
    call_tool(capsys, 'tools/make_pseudo.py', *arguments, '--out', tmp_path)
    manifest = json.loads((tmp_path / 'pseudo.json').read_text())
    assert list(manifest['thresholds']) == list(classes.names)
    assert manifest['thresholds'][name] == pytest.approx(0.5, abs=1e-5)
    api = read_back(tmp_path / 'annotations.json', classes)
    from mmseg_custom.datasets import PseudoLabelledPhotos

    options = dict(ann_file=str(tmp_path / 'annotations.json'), data_root=str(data))
    dataset = PseudoLabelledPhotos(**options, metainfo=classes.to_metainfo())
    assert len(dataset) == len(api.getImgIds()) == 3
    if classes.background is not None:
        # Its masks have no meaning in another order.
        turned = class_list(list(classes.names[::-1]))
        with pytest.raises(Exception, match='the labels in its mask files mean'):
            PseudoLabelledPhotos(**options, metainfo=turned.to_metainfo())


def test_other_classes_on_the_command_line_are_refused(product, tmp_path, capsys):
    _, data, work = product
    arguments = [TOY, work / 'iter_1.pth', data / 'val.json', '--data-root', data]
    said = call_tool(
        capsys, 'tools/predict.py', *arguments, '--classes', 'taco', '--out', tmp_path, code=2
    ).err
    assert 'iter_1.pth: knows' in said
    assert 'given are 61 classes' in said
    assert not list(tmp_path.iterdir())


def test_the_contests_submission_is_refused(product, tmp_path, capsys):
    classes, data, work = product
    model = ['--model', TOY, work / 'iter_1.pth', '--data-root', data]
    out = ['--out', tmp_path / 'a.csv']
    said = call_tool(capsys, 'tools/submit.py', data / 'val.json', *model, *out, code=2).err
    assert 'a submission of the contest has 11 classes' in said
    assert str(classes) in said or 'Litter' in said
    assert not (tmp_path / 'a.csv').exists()


def test_permuting_the_classes_permutes_every_output_and_changes_nothing_else(
    random_checkpoint, toy_set, tmp_path, capsys
):
    classes = class_list(LISTS['permuted'])
    new_label = permute(random_checkpoint, classes, tmp_path / 'turned.pth')
    folders = {}
    for name, checkpoint in (('plain', random_checkpoint), ('turned', tmp_path / 'turned.pth')):
        folder = folders[name] = tmp_path / name
        data = ['--data-root', toy_set]
        call_tool(
            capsys, 'tools/predict.py', TOY, checkpoint, toy_set / 'val.json', *data,
            '--probabilities', '--out', folder / 'predicted',
        )  # fmt: skip
        call_tool(
            capsys, 'tools/crf.py', folder / 'predicted', toy_set / 'val.json', *data,
            '--keep-small', 0.3, '--probabilities', '--out', folder / 'crf',
        )  # fmt: skip
        call_tool(
            capsys, 'tools/make_pseudo.py', TOY, checkpoint, toy_set / 'test.json', *data,
            '--threshold', '0.5', 'Paper=0.2', '--class-balanced', 0.7, '--out', folder / 'pseudo',
        )  # fmt: skip
        call_tool(capsys, 'tools/test.py', TOY, checkpoint, *data, '--out', folder / 'test')
        call_tool(capsys, 'tools/export.py', TOY, checkpoint, '--out', folder / 'model.onnx')
        call_tool(
            capsys, 'tools/predict.py', folder / 'model.onnx', toy_set / 'val.json', *data,
            '--out', folder / 'exported',
        )  # fmt: skip
        members = ['--members', folder / 'predicted', folder / 'predicted', folder / 'crf', *data]
        val = toy_set / 'val.json'
        for how in ([], ['--hard']):
            out = folder / f'vote{len(how)}'
            call_tool(capsys, 'tools/ensemble.py', 'vote', val, *members, *how, '--out', out)
        weights = ['--trials', 3, '--out', folder / 'weights.json']
        call_tool(capsys, 'tools/ensemble.py', 'search', val, *members, *weights)
        models = ['--model', TOY, checkpoint, '--model', TOY, checkpoint, *data]
        call_tool(
            capsys, 'tools/ensemble.py', 'predict', val, *models, '--out', folder / 'both',
        )  # fmt: skip
        rules = ['--make-rules', folder / 'rules.yaml']
        call_tool(capsys, 'apps/sorting_guide.py', TOY, checkpoint, *rules)
    plain, turned = folders['plain'], folders['turned']

    table = np.full(256, 255, np.uint8)
    table[: len(new_label)] = new_label
    masks = sorted(path.relative_to(plain) for path in plain.rglob('masks/**/*.png'))
    assert {path.parts[0] for path in masks} == {
        'predicted', 'crf', 'pseudo', 'test', 'exported', 'vote0', 'vote1', 'both',
    }  # fmt: skip
    for path in masks:
        before = load_mask(plain / path, 64, 64, built_in())
        after = load_mask(turned / path, 64, 64, classes)
        # A sum of floats in another order has other last digits.
        assert (table[before] == after).mean() > 0.999, path
    for path in (plain / 'predicted' / 'probabilities').rglob('*.npz'):
        name = path.relative_to(plain / 'predicted' / 'probabilities').with_suffix('')
        before = read_probabilities(path_of(plain / 'predicted', name))
        after = read_probabilities(path_of(turned / 'predicted', name))
        np.testing.assert_allclose(after[new_label], before, atol=1e-3)
    first, second = (json.loads((f / 'test' / 'metrics.json').read_text()) for f in (plain, turned))
    assert first['metrics'] == pytest.approx(second['metrics'], abs=0.02)
    matrix = np.array(second['confusion_matrix'])[np.ix_(new_label, new_label)]
    assert np.abs(matrix - first['confusion_matrix']).sum() <= 10
    for part in ('predicted', 'crf', 'exported', 'vote0', 'vote1', 'both'):
        found = [COCO(str(folder / part / 'predictions.json')) for folder in (plain, turned)]
        counts = [
            {api.cats[i]['name']: len(api.getAnnIds(catIds=[i])) for i in api.getCatIds()}
            for api in found
        ]
        assert counts[0].keys() == counts[1].keys()
        assert sum(abs(counts[0][name] - counts[1][name]) for name in counts[0]) <= 2, part
    first, second = (
        json.loads((f / 'pseudo' / 'pseudo.json').read_text()) for f in (plain, turned)
    )
    for key in ('thresholds', 'class_shares'):
        assert first[key] == pytest.approx(second[key], abs=1e-3)
    first, second = (json.loads((f / 'weights.json').read_text()) for f in (plain, turned))
    assert first['alone'] == pytest.approx(second['alone'], abs=1e-3)
    first, second = (yaml.safe_load((f / 'rules.yaml').read_text()) for f in (plain, turned))
    assert first == second
    assert list(second['classes']) == [classes.names[label] for label in classes.foreground]


def test_members_of_different_classes_do_not_vote(
    product, toy_set, random_checkpoint, tmp_path, capsys
):
    classes, data, work = product
    for name, checkpoint in (('a', random_checkpoint), ('b', work / 'iter_1.pth')):
        call_tool(
            capsys, 'tools/predict.py', TOY, checkpoint, data / 'val.json', '--data-root', data,
            '--probabilities', '--out', tmp_path / name,
        )  # fmt: skip
    members = ['--members', tmp_path / 'a', tmp_path / 'b', '--data-root', data]
    for command in (
        ['vote', data / 'val.json', '--out', tmp_path / 'c'],
        ['search', data / 'val.json'],
    ):
        said = call_tool(capsys, 'tools/ensemble.py', *command, *members, code=2).err
        assert str(built_in()) in said
        assert str(classes) in said


def test_a_page_and_a_server_know_the_classes(product, tmp_path, capsys):
    pytest.importorskip('fastapi')
    pytest.importorskip('httpx')
    from fastapi.testclient import TestClient

    from mmseg_custom.apis import TrashSegmenter
    from mmseg_custom.serving.api import create_app

    classes, data, work = product
    segmenter = TrashSegmenter(TOY, work / 'iter_1.pth')
    photo = data / json.loads((data / 'val.json').read_text())['images'][0]['file_name']
    with TestClient(create_app(segmenter)) as client:
        assert client.get('/health').json()['classes'] == list(classes.names)
        header = {'content-type': 'image/jpeg'}
        answer = client.post('/segment', content=photo.read_bytes(), headers=header).json()
    mask = segmenter(photo).mask
    found = {one['category']: one['area'] for one in answer['found']}
    areas = {classes.names[label]: int((mask == label).sum()) for label in classes.foreground}
    assert found == {name: area for name, area in areas.items() if area}


def test_a_class_without_a_sorting_rule_is_named_and_rules_are_made(product, tmp_path, capsys):
    pytest.importorskip('fastapi')
    from mmseg_custom.serving.rules import read_rules

    classes, _, work = product
    arguments = ['apps/sorting_guide.py', TOY, work / 'iter_1.pth']
    path = tmp_path / 'rules.yaml'
    call_tool(capsys, *arguments, '--make-rules', path)
    names = [classes.names[label] for label in classes.foreground]
    assert list(read_rules(path, classes).classes) == names
    if {'Litter', 'UNKNOWN'} & set(names):
        said = call_tool(capsys, *arguments, code=2).err
        assert 'has no rule for' in said
        assert '--make-rules' in said


def test_a_training_is_not_resumed_with_other_classes(product, tmp_path):
    classes, data, work = product
    arguments = [TOY, '--data-root', data, '--work-dir', tmp_path, '--resume', work / 'iter_1.pth']
    given = tmp_path / 'turned.yaml'
    given.write_text(yaml.safe_dump(dict(names=list(classes.names[::-1]), background=None)))
    more = ['--classes', given, '--allow-changes']
    done = tool('tools/train.py', *arguments, *more, code=2)
    assert 'iter_1.pth: was trained on' in done.stderr
