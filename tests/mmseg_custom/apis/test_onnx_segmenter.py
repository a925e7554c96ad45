import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from mmseg_custom.apis import OnnxSegmenter, TrashSegmenter
from mmseg_custom.apis.export import export_onnx
from mmseg_custom.classes import built_in
from mmseg_custom.utils import UserError

CLASSES = built_in().names
PALETTE = built_in().mask_colors

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
WITHOUT_TORCH = """
import sys
sys.modules.update(dict.fromkeys(('torch', 'mmseg', 'mmengine', 'mmcv')))
from mmseg_custom.apis import OnnxSegmenter
print(OnnxSegmenter(sys.argv[1])(sys.argv[2]).mask.shape)
"""
PREDICT_WITHOUT_TORCH = """
import runpy, sys
sys.modules.update(dict.fromkeys(('torch', 'mmseg', 'mmengine', 'mmcv')))
sys.argv[0] = 'tools/predict.py'
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.fixture(scope='module')
def trained(random_checkpoint):
    return TrashSegmenter(TOY, random_checkpoint, device='cpu')


@pytest.fixture(scope='module')
def file(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp('onnx') / 'a.onnx'
    export_onnx(trained, path)
    return path


@pytest.fixture(scope='module')
def segmenter(file):
    return OnnxSegmenter(file)


def photo_of(seed, height=64, width=80):
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def test_it_says_what_the_trained_model_says(segmenter, trained):
    photo = photo_of(0, 72, 104)
    found, expected = segmenter(photo), trained(photo)
    assert np.abs(found.probabilities - expected.probabilities).max() < 1e-3
    assert found.probabilities.dtype == np.float32
    assert found.mask.dtype == np.uint8
    assert np.mean(found.mask == expected.mask) >= 0.999
    assert len(np.unique(found.mask)) > 1
    assert found.area_shares.keys() == expected.area_shares.keys()
    assert segmenter.has_probabilities
    assert segmenter.classes.names == CLASSES
    assert segmenter.classes.mask_colors == PALETTE


def test_a_file_an_image_and_an_array_are_the_same_photo(segmenter, tmp_path):
    photo = photo_of(1)
    Image.fromarray(photo).save(tmp_path / 'a.png')
    masks = [segmenter(form).mask for form in (photo, Image.fromarray(photo), tmp_path / 'a.png')]
    assert all(np.array_equal(mask, masks[0]) for mask in masks)


def test_threads_and_batches_change_nothing(segmenter):
    photos = [photo_of(seed) for seed in range(4)]
    alone = [segmenter(photo).mask for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda photo: segmenter(photo).mask, photos))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    in_one = segmenter.batch(photos)
    assert all(np.mean(a != b.mask) < 1e-3 for a, b in zip(alone, in_one, strict=True))
    mixed = segmenter.batch([photos[0], photo_of(9, 48, 40)])
    assert [result.mask.shape for result in mixed] == [(64, 80), (48, 40)]
    assert segmenter.batch([]) == []


def test_a_model_of_labels_is_sure_of_them(trained, segmenter, tmp_path):
    export_onnx(trained, tmp_path / 'a.onnx', argmax=True)
    labels = OnnxSegmenter(tmp_path / 'a.onnx')
    found = labels.batch([photo_of(2), photo_of(3)])
    assert not labels.has_probabilities
    for seed, result in zip((2, 3), found, strict=True):
        assert np.array_equal(result.mask, segmenter(photo_of(seed)).mask)
        assert result.probabilities.shape == (11, 64, 80)
        assert result.probabilities.dtype == np.float32
        assert np.array_equal(result.probabilities.argmax(0), result.mask)
        assert np.array_equal(result.probabilities.sum(0), np.ones((64, 80)))
        assert set(np.unique(result.probabilities)) == {0, 1}


@pytest.mark.slow
def test_it_needs_no_torch(file, tmp_path):
    Image.fromarray(photo_of(4)).save(tmp_path / 'a.png')
    command = [sys.executable, '-c', WITHOUT_TORCH, file, tmp_path / 'a.png']
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == '(64, 80)\n', done.stderr


@pytest.mark.slow
def test_predicting_with_it_needs_no_torch(file, tmp_path):
    Image.fromarray(photo_of(4)).save(tmp_path / 'a.png')
    out = ['--out', tmp_path / 'out', '--overlays', '--probabilities']
    command = [sys.executable, '-c', PREDICT_WITHOUT_TORCH, file, tmp_path / 'a.png', *out]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert '1 photos predicted' in done.stdout
    assert Image.open(tmp_path / 'out' / 'masks' / 'a.png').size == (80, 64)


def test_other_arrays_are_refused(segmenter):
    with pytest.raises(UserError, match=r'an \(H, W, 3\) uint8 RGB array'):
        segmenter(np.zeros((4, 4), np.uint8))


def test_wrong_files_are_told(file, tmp_path, capfd):
    with pytest.raises(UserError, match='no such model'):
        OnnxSegmenter(tmp_path / 'gone.onnx')
    (tmp_path / 'cut.onnx').write_bytes(file.read_bytes()[:-1000])
    (tmp_path / 'text.onnx').write_text('no model')
    (tmp_path / 'empty.onnx').touch()
    for name in ('cut', 'text', 'empty'):
        with pytest.raises(UserError, match=rf'{name}\.onnx: is damaged or no ONNX model'):
            OnnxSegmenter(tmp_path / f'{name}.onnx')
    content = onnx.load(file)
    onnx.helper.set_model_props(content, dict(format='99'))
    onnx.save(content, tmp_path / 'future.onnx')
    with pytest.raises(UserError, match='was not exported by this version'):
        OnnxSegmenter(tmp_path / 'future.onnx')
    assert capfd.readouterr().err == ''


def test_a_photo_that_the_model_cannot_take_is_told(segmenter, file, tmp_path):
    content = onnx.load(file)
    for side in content.graph.input[0].type.tensor_type.shape.dim[2:]:
        side.dim_value = 64
    onnx.save(content, tmp_path / 'fixed.onnx')
    fixed = OnnxSegmenter(tmp_path / 'fixed.onnx')
    photo = photo_of(5, 64, 64)
    assert np.array_equal(fixed(photo).mask, segmenter(photo).mask)
    with pytest.raises(UserError, match=r'cannot segment photos of the form \(1, 3, 72, 64\)'):
        fixed(photo_of(5, 72, 64))


def test_a_missing_package_is_told(file, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(UserError, match=r'onnxruntime is missing: pip install -e "\.\[export\]"'):
        OnnxSegmenter(file)
