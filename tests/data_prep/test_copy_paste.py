import json
import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from conftest import ROOT, call_tool
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems

CLASSES = built_in().names

TOOL = 'data_prep/copy_paste.py'
PASTED = ['Battery', 'Clothing', 'Paper pack', 'Metal']


def call(capsys, *arguments, code=0):
    return call_tool(capsys, TOOL, *arguments, code=code)


def make(toy_set, out, *arguments, number=12, workers=2):
    command = [sys.executable, ROOT / TOOL, '--json-path', toy_set / 'train.json', '--mode', 'new']
    command += ['--out', out, '--aug-num', number, '--workers', workers, *arguments]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def painted(path):
    """Labels of each photo by pycocotools, larger stated area first."""
    coco = COCO(str(path))
    names = {c['id']: CLASSES.index(c['name']) for c in coco.loadCats(coco.getCatIds())}
    masks = {}
    for image in coco.dataset['images']:
        mask = np.zeros((image['height'], image['width']), int)
        found = coco.loadAnns(coco.getAnnIds(imgIds=[image['id']]))
        for annotation in sorted(found, key=lambda a: -a['area']):
            mask[coco.annToMask(annotation) == 1] = names[annotation['category_id']]
        masks[image['file_name']] = mask
    return coco, masks


@pytest.fixture(scope='module')
def paste_set(toy_set, tmp_path_factory):
    out = tmp_path_factory.mktemp('paste') / 'set'
    make(toy_set, out, '--patch', *PASTED, '--lsj', '--extract-patch')
    return out


def test_pasted_pixels_have_the_right_class(toy_set, paste_set):
    _, before = painted(toy_set / 'train.json')
    coco, after = painted(paste_set / 'train_pasted.json')
    allowed = {CLASSES.index(name) for name in PASTED}
    assert len(after) == 12
    for image in coco.dataset['images']:
        name, onto = image['file_name'], image['pasted_onto']
        new, old = (cv2.imread(str(p)).astype(int) for p in (paste_set / name, toy_set / onto))
        # A JPEG smears colors over two pixels.
        looks_new = (np.abs(new - old).max(axis=2) > 60).astype(np.uint8)
        looks_new = cv2.erode(looks_new, np.ones((5, 5), np.uint8)).astype(bool)
        assert set(np.unique(after[name][looks_new])) <= allowed
        relabelled = after[name] != before[onto]
        assert set(np.unique(after[name][relabelled])) <= allowed
        assert (after[name] != 0).any()
    assert any(
        (after[i['file_name']] != before[i['pasted_onto']]).any() for i in coco.imgs.values()
    )


def test_nothing_is_annotated_that_cannot_be_seen(paste_set):
    coco, _ = painted(paste_set / 'train_pasted.json')
    for image in coco.dataset['images']:
        found = coco.loadAnns(coco.getAnnIds(imgIds=[image['id']]))
        owner = np.full((image['height'], image['width']), -1)
        for annotation in sorted(found, key=lambda a: -a['area']):
            owner[coco.annToMask(annotation) == 1] = annotation['id']
        assert {a['id'] for a in found} == set(np.unique(owner)) - {-1}


def test_the_set_is_sound_and_trains(paste_set, mmseg_scope):
    from mmseg_custom.datasets import TrashCocoDataset

    content = json.loads((paste_set / 'train_pasted.json').read_text())
    assert list(find_problems(content, built_in())) == []
    assert {'info', 'licenses', 'categories'} <= set(content)
    assert all(len(image['pasted_from']) == 1 for image in content['images'])
    load = [dict(type='LoadTrashImage'), dict(type='LoadTrashAnnotations')]
    dataset = TrashCocoDataset('train_pasted.json', str(paste_set), pipeline=load)
    assert len([dataset[index]['gt_seg_map'] for index in range(len(dataset))]) == 12


def test_objects_are_extracted_with_their_outline(toy_set, paste_set):
    coco, masks = painted(toy_set / 'train.json')
    allowed = {CLASSES.index(name) for name in PASTED}
    cut_outs = list((paste_set / 'patches').rglob('*.png'))
    pixels = sum((cv2.imread(str(p), cv2.IMREAD_UNCHANGED)[..., 3] > 0).sum() for p in cut_outs)
    labelled = sum(np.isin(mask, list(allowed)).sum() for mask in masks.values())
    # Only specks of fewer than 16 pixels are left out.
    assert 0.95 * labelled < pixels <= labelled
    assert {p.parent.name.replace('_', ' ') for p in cut_outs} <= set(PASTED)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_with_any_number_of_processes(
    toy_set, paste_set, tmp_path
):
    options = ['--patch', *PASTED, '--lsj', '--extract-patch']
    make(toy_set, tmp_path / 'one', *options, workers=1)
    assert tree(tmp_path / 'one') == tree(paste_set)
    make(toy_set, tmp_path / 'other', *options, '--seed', 1)
    assert tree(tmp_path / 'other') != tree(paste_set)


@pytest.mark.slow
def test_a_set_that_was_killed_is_continued(toy_set, tmp_path):
    number = 120
    make(toy_set, tmp_path / 'whole', '--lsj', number=number)
    command = [sys.executable, ROOT / TOOL, '--json-path', toy_set / 'train.json', '--mode', 'new']
    command += ['--lsj', '--aug-num', number, '--workers', 2, '--out', tmp_path / 'killed']
    running = subprocess.Popen(
        [*map(str, command)], start_new_session=True, stderr=subprocess.DEVNULL
    )
    parts = tmp_path / 'killed' / 'parts'
    while running.poll() is None and (not parts.exists() or len(os.listdir(parts)) < 20):
        time.sleep(0.005)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    left = {p.name: p.stat().st_mtime_ns for p in parts.glob('[0-9]*.json')}
    assert 0 < len(left) < number
    photos = {p.name: p.stat().st_mtime_ns for p in (tmp_path / 'killed/pasted').glob('[0-9]*')}
    make(toy_set, tmp_path / 'killed', '--lsj', number=number)
    assert tree(tmp_path / 'killed') == tree(tmp_path / 'whole')
    kept = [(tmp_path / 'killed/pasted' / name).stat().st_mtime_ns for name in sorted(photos)]
    done = [photos[name] == time for name, time in zip(sorted(photos), kept, strict=True)]
    assert sum(done) >= len(left)


def test_a_finished_set_is_left_alone(toy_set, paste_set):
    before = {p: p.stat().st_mtime_ns for p in paste_set.rglob('*') if 'pasted' in p.name}
    make(toy_set, paste_set, '--patch', *PASTED, '--lsj', '--extract-patch')
    assert before == {p: p.stat().st_mtime_ns for p in before}


def test_old_and_new_photos_in_one_file(toy_set, tmp_path, capsys):
    toy_set = shutil.copytree(toy_set, tmp_path / 'toy')
    out = toy_set / 'pasted_here'
    arguments = ['--json-path', toy_set / 'val.json', '--aug-num', 3, '--out', out, '--workers', 1]
    done = call(capsys, *arguments)
    assert f'--data-root {toy_set} --train-json {out / "val_pasted.json"}' in done.out
    content = json.loads((out / 'val_pasted.json').read_text())
    assert len(content['images']) == 7 + 3
    assert all((toy_set / image['file_name']).is_file() for image in content['images'])
    assert len({a['id'] for a in content['annotations']}) == len(content['annotations'])
    old = json.loads((toy_set / 'val.json').read_text())
    assert content['images'][:7] == old['images']
    assert content['annotations'][: len(old['annotations'])] == old['annotations']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--patch', 'Wood'], "'Wood' is no class"),
        (['--patch', 'Glass', '--remove-patch', 'glass'], 'no class is left'),
        (['--lsj-min', 0.5], 'belong to --lsj'),
        (['--lsj', '--lsj-min', 3], 'the smaller one first'),
        (['--lsj', '--lsj-min', 0], 'above 0'),
        (['--out', 'OUTSIDE', '--mode', 'add'], 'outside of the data folder'),
    ],
)
def test_mistakes_are_one_line(toy_set, tmp_path, capsys, arguments, message):
    arguments = [str(tmp_path / 'x') if a == 'OUTSIDE' else a for a in arguments]
    paths = ['--json-path', toy_set / 'val.json']
    if '--mode' not in arguments:
        paths += ['--mode', 'new', '--out', tmp_path / 'x']
    done = call(capsys, *paths, *arguments, code=2)
    assert message in done.err
    assert not (tmp_path / 'x').exists()


def test_other_data_is_not_overwritten(toy_set, tmp_path, capsys):
    make(toy_set, tmp_path / 'a', number=2)
    paths = ['--json-path', toy_set / 'train.json', '--mode', 'new', '--out', tmp_path / 'a']
    assert 'aug_num: was 2, is 3' in call(capsys, *paths, '--aug-num', 3, code=2).err
    (tmp_path / 'a' / 'provenance.json').unlink()
    assert 'is there already' in call(capsys, *paths, '--aug-num', 2, code=2).err


@pytest.mark.slow
def test_bad_files_are_one_line(small_set, tmp_path):
    from conftest import coco

    image = dict(id=0, file_name='a.png', height=16, width=16)
    square = [[0, 0, 12, 0, 12, 12, 0, 12]]
    entry = dict(id=0, image_id=0, category_id=7, segmentation=square, area=144)
    path = small_set(coco([image], [entry]), missing=['a.png'])
    command = [sys.executable, ROOT / TOOL, '--json-path', path, '--mode', 'new', '--out']
    done = subprocess.run([*map(str, [*command, tmp_path / 'x'])], capture_output=True, text=True)
    assert done.returncode == 2
    assert 'a.png: no such photo' in done.stderr.splitlines()[-1]
    assert 'Traceback' not in done.stderr
    path.write_text(json.dumps(coco([image], [])))
    done = subprocess.run([*map(str, [*command, tmp_path / 'y'])], capture_output=True, text=True)
    assert 'has no object of' in done.stderr
    assert done.returncode == 2
