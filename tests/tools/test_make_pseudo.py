import json
import os
import shutil
import signal
import time

import numpy as np
import pytest
import torch
from conftest import ROOT, call_tool, tool
from PIL import Image
from processes import ToolProcess

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems, load_mask, read_coco
from mmseg_custom.datasets import PseudoLabelledPhotos, TrashCocoDataset
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.transforms import LoadTrashAnnotations

CLASSES = built_in().names

TOOL = 'tools/make_pseudo.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture
def made(toy_set, random_checkpoint, tmp_path, capsys):
    """Label the toy set's training photos with options, and return the folder."""

    def make(*options, images='train.json', out='pseudo', code=0):
        exclude = ('--exclude', toy_set / 'val.json', '--batch-size', 1)
        command = (TOY, random_checkpoint, toy_set / images, '--out', tmp_path / out)
        call_tool(capsys, TOOL, *command, *exclude, *options, code=code)
        return tmp_path / out

    return make


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file() and not path.name.startswith('.') and path.name != 'provenance.json'
    }


def test_a_label_stands_where_the_model_is_sure_enough(made, toy_set, random_checkpoint):
    out = made('--threshold', 0.99, 'Paper=0.2', 'Plastic bag=0.999')
    segmenter = TrashSegmenter(TOY, random_checkpoint)
    least = np.full(len(CLASSES), 0.99)
    least[CLASSES.index('Paper')], least[CLASSES.index('Plastic bag')] = 0.2, 0.999
    manifest = json.loads((out / 'pseudo.json').read_text())
    ignored = 0
    for entry in manifest['images']:
        result = segmenter(toy_set / entry['file_name'])
        best = result.probabilities.max(axis=0)
        expected = np.where(best >= least[result.mask], result.mask, 255)
        mask = load_mask(out / 'masks' / f'{entry["name"]}.png', 64, 64, built_in())
        # Confidence is kept in steps of 1 / 65535.
        clear = np.abs(best - least[result.mask]) > 1e-4
        assert np.array_equal(mask[clear], expected[clear])
        assert entry['score'] == pytest.approx(best.mean(), abs=1e-4)
        shares = {name: (mask == i).mean() for i, name in enumerate(CLASSES) if (mask == i).any()}
        assert entry['class_shares'] == pytest.approx(shares)
        assert entry['sure_share'] == pytest.approx((mask != 255).mean())
        ignored += (mask == 255).sum()
    assert ignored > 100


def test_the_set_is_used_unchanged(made, toy_set):
    out = made('--threshold', 0.7, '--min-score', 0.5)
    content = read_coco(out / 'annotations.json')
    assert list(find_problems(content, built_in())) == []
    manifest = json.loads((out / 'pseudo.json').read_text())
    used = [entry for entry in manifest['images'] if entry['used']]
    assert 0 < len(used) <= len(manifest['images']) == 24
    assert all((entry['score'] >= 0.5) == entry['used'] for entry in manifest['images'])
    ann = str(out / 'annotations.json')
    dataset = TrashCocoDataset(ann, data_root=str(toy_set))
    assert len(dataset) == len(used)
    for row, entry in enumerate(used):
        info = dataset.get_data_info(row)
        assert info['img_path'].endswith(entry['file_name'])
        mask = load_mask(out / 'masks' / f'{entry["name"]}.png', 64, 64, built_in())
        assert np.array_equal(LoadTrashAnnotations()(info)['gt_seg_map'], mask)
    assert PseudoLabelledPhotos(ann, data_root=str(toy_set)).get_data_info(0)['pseudo'] is True
    assert Image.open(out / 'sheet.png').width > 300


def test_other_thresholds_do_not_predict_anew(made):
    out = made('--threshold', 0.5)
    times = {path: path.stat().st_mtime_ns for path in (out / 'confidence').rglob('*.npz')}
    before = tree(out / 'masks')
    made('--threshold', 0.95, '--class-balanced', 0.3)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert tree(out / 'masks') != before
    thresholds = json.loads((out / 'pseudo.json').read_text())['thresholds']
    said = [np.load(path) for path in sorted((out / 'confidence').rglob('*.npz'))]
    labels = np.stack([archive['labels'] for archive in said])
    sure = np.stack([archive['confidence'] for archive in said])
    least = np.zeros(len(CLASSES))
    for label, name in enumerate(CLASSES):
        own = np.sort(sure[labels == label])[::-1]
        last = own[int(np.ceil(0.3 * len(own))) - 1] if len(own) else 65535
        least[label] = max(last, round(0.95 * 65535))
        assert thresholds[name] == pytest.approx(least[label] / 65535, abs=1e-6)
    kept = np.stack(
        [load_mask(path, 64, 64, built_in()) for path in sorted((out / 'masks').rglob('*.png'))]
    )
    assert np.array_equal(kept, np.where(sure >= least[labels], labels, 255))
    assert (kept == 255).any()


def test_a_crf_chooses_labels_and_the_model_says_how_sure(made, toy_set, random_checkpoint):
    pytest.importorskip('numba')
    out = made('--threshold', 0.3, '--crf', '--tta', 'flip', images='test.json')
    segmenter = TrashSegmenter(TOY, random_checkpoint, tta='flip')
    for entry in json.loads((out / 'pseudo.json').read_text())['images']:
        path = toy_set / entry['file_name']
        result = segmenter(path)
        labels = result.refined(np.asarray(Image.open(path)), DenseCrf()).mask
        sure = np.take_along_axis(result.probabilities, labels[None].astype(int), 0)[0]
        mask = load_mask(out / 'masks' / f'{entry["name"]}.png', 64, 64, built_in())
        expected = np.where(sure >= 0.3, labels, 255)
        assert (mask == expected).mean() > 0.999
        assert (mask == 255).any()


def test_validation_photos_never_enter(made, toy_set, tmp_path):
    shutil.copytree(toy_set, tmp_path / 'copy')
    val = json.loads((toy_set / 'val.json').read_text())['images']
    train = json.loads((toy_set / 'train.json').read_text())['images']
    # A validation photo under a training photo's name.
    shutil.copy(toy_set / val[0]['file_name'], tmp_path / 'copy' / train[0]['file_name'])
    out = made('--data-root', tmp_path / 'copy', '--exclude', tmp_path / 'copy' / 'val.json')
    manifest = json.loads((out / 'pseudo.json').read_text())
    stem = train[0]['file_name'].removesuffix('.jpg')
    assert manifest['excluded'] == [stem]
    assert stem not in {entry['name'] for entry in manifest['images']}
    assert not (out / 'masks' / f'{stem}.png').exists()


def test_the_manifest_says_who_made_it(made, random_checkpoint):
    import hashlib

    out = made('--tta', 'flip', '--threshold', 0.4, images='test.json')
    manifest = json.loads((out / 'pseudo.json').read_text())
    (member,) = manifest['members']
    assert member['sha256'] == hashlib.sha256(random_checkpoint.read_bytes()).hexdigest()
    assert member['config'] == TOY.name
    assert (manifest['tta'], manifest['crf']) == ('flip', None)
    assert manifest['options'] == dict(threshold=['0.4'], balanced=None, min_score=0.0)
    assert manifest['unreadable'] == manifest['excluded'] == []
    assert set(manifest['class_shares']) == set(CLASSES)


@pytest.mark.slow
def test_several_processes_and_a_killed_run_write_the_same(toy_set, random_checkpoint, tmp_path):
    exclude = ['--exclude', toy_set / 'val.json', '--class-balanced', 0.5, '--batch-size', 2]
    images = [toy_set / 'train.json', *exclude]

    out = tmp_path / 'set'
    command = [TOY, random_checkpoint, *images, '--out', out]

    def made():
        content = tree(out)
        shutil.rmtree(out)
        return content

    tool(TOOL, *command)
    expected = made()
    tool('tools/dist_make_pseudo.sh', TOY, random_checkpoint, 3, *images, '--out', out)
    assert made() == expected
    for wanted in (3, 11):
        running = ToolProcess(TOOL, *command, folder=tmp_path)
        while running.poll() is None and len(list(out.rglob('*.npz'))) < wanted:
            time.sleep(0.002)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        assert not (out / 'pseudo.json').exists()
    tool(TOOL, *command)
    assert made() == expected


def test_says_what_is_wrong(toy_set, random_checkpoint, tmp_path, capsys):
    def error(*options, images=toy_set / 'test.json', config=TOY, model=random_checkpoint):
        command = (config, model, images, '--out', tmp_path / 'out')
        return call_tool(capsys, TOOL, *command, *options, code=2).err

    exclude = ('--exclude', toy_set / 'val.json')
    lost = tmp_path / 'lost.py'
    lost.write_text(
        f"_base_ = '{TOY}'\nval_dataloader = dict(dataset=dict(ann_file='gone.json'))\n"
    )
    # A foreign checkpoint does not know its validation photos.
    content = torch.load(random_checkpoint, weights_only=False)
    content['meta'].pop('validation_photos')
    torch.save(content, tmp_path / 'foreign.pth')
    lacks = error(config=lost, model=tmp_path / 'foreign.pth')
    assert 'name the validation files with --exclude' in lacks
    assert 'from 0 to 1' in error(*exclude, '--threshold', 2)
    assert 'every photo is a validation photo' in error(*exclude, images=toy_set / 'val.json')
    assert 'lower the minimum score' in error(*exclude, '--min-score', 1)
    assert not (tmp_path / 'out' / 'pseudo.json').exists()
    assert 'another --out' in error(*exclude, '--tta', 'flip')
