import numpy as np
import pytest
from conftest import ROOT, call_tool, tool
from mmengine.config import Config

from mmseg_custom.apis import OnnxSegmenter, TrashSegmenter

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

TOOL = 'tools/export.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


def test_the_export_is_checked_and_runs(toy_set, random_checkpoint, tmp_path):
    out = tmp_path / 'new' / 'a.onnx'
    done = tool(TOOL, TOY, random_checkpoint, '--out', out, start=True)
    assert 'float: probabilities differ by at most' in done.stdout
    assert f'wrote {out}' in done.stdout
    assert done.stderr == ''
    assert [path.name for path in out.parent.iterdir()] == ['a.onnx']
    photo = next((toy_set / 'batch_01').glob('*.jpg'))
    expected = TrashSegmenter(TOY, random_checkpoint, device='cpu')(photo)
    found = OnnxSegmenter(out)(photo)
    assert np.abs(found.probabilities - expected.probabilities).max() <= 1e-3


def test_int8_labels_and_own_photos(toy_set, random_checkpoint, tmp_path, capsys):
    out = tmp_path / 'a.onnx'
    measure = ['--measure', toy_set / 'val.json', '--max-loss', 100]
    photos = ['--photos', toy_set / 'val.json']
    options = ['--out', out, '--argmax', '--int8', *photos, *measure]
    done = call_tool(capsys, TOOL, TOY, random_checkpoint, *options)
    sizes_of = [line for line in done.out.splitlines() if line.startswith(('float: ', 'int8: '))]
    before, after = sizes_of
    assert before.startswith('float: ')
    assert float(before.split()[1]) >= 99.9
    assert after.startswith('int8: loses ')
    assert ' points of mIoU (' in after
    assert ', 0 of ' in after
    sizes = [float(line.split('; ')[1].removesuffix(' MB')) for line in (before, after)]
    assert sizes[1] < 0.9 * sizes[0]
    assert sizes[1] == pytest.approx(out.stat().st_size / 1e6, abs=0.06)


def test_the_options_of_a_training_and_the_views_are_those_of_the_segmenter(
    random_checkpoint, tmp_path, capsys
):
    out = tmp_path / 'a.onnx'
    changed = 'model.data_preprocessor.size_divisor=64'
    padded = 'model.data_preprocessor.test_cfg.size_divisor=64'
    options = ['--option', 'ema', '--cfg-options', changed, padded, '--tta', 'flip']
    call_tool(capsys, TOOL, TOY, random_checkpoint, *options, '--out', out)
    cfg = Config.fromfile(str(TOY))
    cfg.model.data_preprocessor.update(size_divisor=64, test_cfg=dict(size_divisor=64))
    photo = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    expected = TrashSegmenter(cfg, random_checkpoint, 'cpu', 'flip')(photo).probabilities
    found = OnnxSegmenter(out)(photo).probabilities
    assert np.abs(found - expected).max() <= 1e-3
    plain = TrashSegmenter(TOY, random_checkpoint, 'cpu')(photo).probabilities
    assert np.abs(found - plain).max() > 1e-2


def test_a_model_that_came_out_wrong_is_not_written(
    random_checkpoint, tmp_path, capsys, monkeypatch
):
    from mmseg_custom.export import PhotoModel

    right = PhotoModel.forward
    monkeypatch.setattr(PhotoModel, 'forward', lambda self, photo: right(self, photo.flip(1)))
    out = ['--out', tmp_path / 'a.onnx']
    done = call_tool(capsys, TOOL, TOY, random_checkpoint, *out, code=2)
    assert 'nothing was written' in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--out', 'a.onnx', '--int8'], '--int8 needs --photos'),
        (['--out', 'a.onnx', '--measure', 'a.json'], '--measure is for --int8 and --float16'),
        (['--out', 'a.pth'], 'give a name that ends in .onnx, .xml, .ncnn.param'),
        (['--out', 'a.onnx', '--opset', '6'], 'cannot be exported to ONNX'),
        (['--out', 'a.onnx', '--photos', 'gone.jpg'], 'gone.jpg: no such file or folder'),
    ],
)
def test_mistakes_are_one_line(random_checkpoint, tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    assert message in call_tool(capsys, TOOL, TOY, random_checkpoint, *options, code=2).err
    assert not list(tmp_path.iterdir())
