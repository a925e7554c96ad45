import json
import os
import shutil
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT, call_tool, tool
from PIL import Image
from processes import ToolProcess
from pycocotools.coco import COCO

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, find_problems, load_mask, paint
from mmseg_custom.postprocess import DenseCrf

TOOL = 'tools/predict.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def test_masks_probabilities_overlays_and_coco(toy_set, random_checkpoint, tmp_path, capsys):
    out = tmp_path / 'out'
    arguments = [toy_set / 'val.json', '--out', out, '--probabilities', '--overlays']
    call_tool(capsys, TOOL, TOY, random_checkpoint, *arguments, '--batch-size', 1)
    content = json.loads((out / 'predictions.json').read_text())
    assert list(find_problems(content, built_in())) == []
    segmenter = TrashSegmenter(TOY, random_checkpoint)
    samples = coco_to_samples(content, built_in())
    assert len(samples) == 7
    for sample in samples:
        stem = sample['file_name'].removesuffix('.jpg')
        expected = segmenter(toy_set / sample['file_name'])
        mask = load_mask(out / 'masks' / f'{stem}.png', 64, 64, built_in())
        assert np.array_equal(mask, expected.mask)
        assert np.array_equal(paint(sample['annotations'], 64, 64, fill=0), mask)
        (stored,) = np.load(out / 'probabilities' / f'{stem}.npz').values()
        assert stored.dtype == np.float16
        assert np.abs(stored - expected.probabilities).max() < 1e-3
        assert Image.open(out / 'overlays' / f'{stem}.jpg').size == (64, 64)


def test_a_run_that_was_killed_twice_ends_the_same(toy_set, random_checkpoint, tmp_path):
    def command(out):
        inputs = [toy_set / 'batch_01', '--out', out, '--probabilities', '--batch-size', 3]
        return [TOOL, TOY, random_checkpoint, *inputs]

    tool(*command(tmp_path / 'whole'))
    masks, out = tmp_path / 'killed' / 'masks', tmp_path / 'killed'
    for wanted in (2, 9):
        running = ToolProcess(*command(out), folder=tmp_path)
        while running.poll() is None and (not masks.exists() or len(os.listdir(masks)) < wanted):
            time.sleep(0.002)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        assert not (out / 'predictions.json').exists()
    tool(*command(out))
    found = {name: data for name, data in tree(out).items() if '/.' not in name}
    assert found == tree(tmp_path / 'whole')
    assert len(found) == 24 * 2 + 3


def test_broken_photos_are_reported_and_skipped(toy_set, random_checkpoint, tmp_path, capsys):
    photos = tmp_path / 'photos'
    photos.mkdir()
    Image.new('RGB', (40, 30)).save(photos / 'a.png')
    (photos / 'b.jpg').write_bytes((toy_set / 'batch_01' / '0000.jpg').read_bytes()[:500])
    Image.new('L', (16, 16)).save(photos / 'gray.png')
    Image.fromarray(np.full((16, 16), 40000, np.uint16)).save(photos / 'deep.png')
    Image.new('RGBA', (16, 16)).save(photos / 'transparent.png')
    out = ['--out', tmp_path / 'out']
    done = call_tool(capsys, TOOL, TOY, random_checkpoint, photos, *out, code=1)
    assert '1 of 5 photos could not be read' in done.out
    assert 'b.jpg: the photo is truncated' in done.out
    names = {path.stem for path in (tmp_path / 'out' / 'masks').iterdir()}
    assert names == {'a', 'gray', 'deep', 'transparent'}
    done = call_tool(capsys, TOOL, TOY, random_checkpoint, photos, *out, '--strict', code=2)
    assert 'b.jpg: the photo is truncated' in done.err


def test_results_of_another_model_are_not_mixed_in(toy_set, random_checkpoint, tmp_path, capsys):
    out = ['--out', tmp_path / 'out']
    photo = next((toy_set / 'batch_01').glob('*.jpg'))
    call_tool(capsys, TOOL, TOY, random_checkpoint, photo, *out)
    content = torch.load(random_checkpoint, weights_only=False)
    content['state_dict']['decode_head.conv_seg.bias'] += 1
    other = tmp_path / 'other.pth'
    torch.save(content, other)
    done = call_tool(capsys, TOOL, TOY, other, photo, *out, code=2)
    assert 'weights: was iter_1.pth' in done.err


def test_two_processes_write_what_one_writes(toy_set, random_checkpoint, tmp_path):
    photos = shutil.copytree(toy_set / 'batch_01', tmp_path / 'photos')
    inputs = [photos, '--batch-size', 3, '--probabilities']
    tool(TOOL, TOY, random_checkpoint, *inputs, '--out', tmp_path / 'one')
    (photos / 'broken.jpg').write_bytes(b'no photo')
    command = ('tools/dist_predict.sh', TOY, random_checkpoint, 2, *inputs)
    done = tool(*command, '--out', tmp_path / 'two', code=1)
    assert 'broken.jpg' in done.stdout and done.stdout.count('could not be read') == 1
    one, two = tree(tmp_path / 'one'), tree(tmp_path / 'two')
    assert one.keys() == two.keys()
    for name in one:
        if name.endswith('.png'):
            assert np.array_equal(*(Image.open(tmp_path / d / name) for d in ('one', 'two')))


def test_views_and_crf_decide_over_the_masks(toy_set, random_checkpoint, tmp_path, capsys):
    pytest.importorskip('numba')
    photo = next((toy_set / 'batch_01').glob('*.jpg'))
    out = tmp_path / 'out'
    command = (TOOL, TOY, random_checkpoint, photo, '--out', out)
    call_tool(capsys, *command, '--tta', 'flip', '--crf')
    result = TrashSegmenter(TOY, random_checkpoint, tta='flip')(photo)
    pixels = np.asarray(Image.open(photo))
    mask = load_mask(out / 'masks' / f'{photo.stem}.png', 64, 64, built_in())
    assert (mask == result.refined(pixels, DenseCrf()).mask).mean() > 0.999
    assert (mask != result.mask).any()
    assert 'another --out' in call_tool(capsys, *command, '--tta', 'flip', code=2).err


def test_an_exported_model_predicts_alike(toy_set, random_checkpoint, tmp_path, capsys):
    pytest.importorskip('onnxruntime')
    from mmseg_custom.apis.export import export_onnx

    file, masks = tmp_path / 'a.onnx', tmp_path / 'mask.onnx'
    segmenter = TrashSegmenter(TOY, random_checkpoint, device='cpu')
    export_onnx(segmenter, file)
    export_onnx(segmenter, masks, argmax=True)
    for name, model in (('onnx', (file,)), ('torch', (TOY, random_checkpoint))):
        call_tool(capsys, TOOL, *model, toy_set / 'val.json', '--out', tmp_path / name)
    found = {name: np.stack([load_mask(path, 64, 64, built_in()) for path in sorted(
        (tmp_path / name / 'masks').rglob('*.png'))]) for name in ('onnx', 'torch')}  # fmt: skip
    assert (found['onnx'] == found['torch']).mean() >= 0.999
    out = ('--out', tmp_path / 'out')
    for model, options, reason in (
        ((file,), ('--tta', 'flip'), '--tta needs a checkpoint'),
        ((masks,), ('--probabilities',), 'has labels only'),
        ((), (), 'CONFIG CHECKPOINT INPUT'),
    ):
        command = (*model, toy_set / 'val.json', *out, *options)
        assert reason in call_tool(capsys, TOOL, *command, code=2).err
    assert 'to predict' in call_tool(capsys, TOOL, TOY, random_checkpoint, *out, code=2).err


def test_predictions_are_read_back_against_the_photos(toy_set, random_checkpoint, tmp_path, capsys):
    """`a/x.jpg` and `b/x.jpg` were both `x.jpg`, all frames of a video `v.avi`."""
    photos = sorted((toy_set / 'batch_02').glob('*.jpg'))
    root = tmp_path / 'photos'
    for name, photo in zip(('a/x.jpg', 'b/x.jpg'), photos, strict=False):
        (root / name).parent.mkdir(parents=True)
        shutil.copy(photo, root / name)
    video = cv2.VideoWriter(str(root / 'v.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, (64, 64))
    frames = [cv2.imread(str(photo)) for photo in photos[:5]]
    for frame in frames:
        video.write(frame)
    video.release()
    inputs, out = [root / 'a', root / 'b', root / 'v.avi'], tmp_path / 'out'
    call_tool(capsys, TOOL, TOY, random_checkpoint, *inputs, '--every', 2, '--out', out)
    api = COCO(str(out / 'predictions.json'))
    names = [image['file_name'] for image in api.loadImgs(api.getImgIds())]
    assert names == ['a/x.jpg', 'b/x.jpg', *(f'v.avi#{n:06d}' for n in (0, 2, 4))]
    for image in api.loadImgs(api.getImgIds()):
        file, _, frame = image['file_name'].partition('#')
        assert (root / file).is_file()
        if frame:
            assert image['seconds'] == pytest.approx(int(frame) / 5)
        stem = str(Path(file).with_suffix('')) + (f'/{frame}' if frame else '')
        mask = np.asarray(Image.open(out / 'masks' / f'{stem}.png'))
        painted = np.zeros_like(mask)
        for annotation in api.loadAnns(api.getAnnIds(image['id'])):
            painted[api.annToMask(annotation) > 0] = annotation['category_id']
        assert np.array_equal(painted, mask)
    first = np.asarray(Image.open(out / 'masks' / 'v' / '000000.png'))
    last = np.asarray(Image.open(out / 'masks' / 'v' / '000004.png'))
    assert (first != last).any()
