"""Each format of an exported model: the masks of PyTorch, its damage, and what the tools say."""

import os
import shutil
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import REAL, ROOT, call_tool
from PIL import Image

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.apis.export import export_onnx
from mmseg_custom.apis.export_formats import export_ncnn, export_openvino
from mmseg_custom.apis.exported_formats import SEGMENTERS, load_exported, suffix_of
from mmseg_custom.apis.exported_segmenter import cpu_threads
from mmseg_custom.apis.parity import compare, random_photos
from mmseg_custom.utils import UserError

MODEL = ROOT / 'weights' / 'trash11'
PHOTOS = sorted((REAL / 'batch_01').glob('*.jpg'))[:2]
NEEDED = {'.onnx': ['onnx', 'onnxruntime'], '.xml': ['openvino'], '.ncnn.param': ['ncnn', 'pnnx']}


def export(segmenter, folder, suffix, half=False):
    missing = [name for name in NEEDED[suffix] if not find_spec(name)]
    if missing:
        pytest.skip(f'{missing[0]} is not installed')
    path = folder / f'a{suffix}'
    if suffix == '.ncnn.param':
        export_ncnn(segmenter, path, half)
        return path
    export_onnx(segmenter, folder / 'a.onnx')
    if suffix == '.xml':
        export_openvino(folder / 'a.onnx', path, half)
    return path


@pytest.fixture(scope='module')
def trained():
    return TrashSegmenter(MODEL, device='cpu')


@pytest.fixture(scope='module', params=SEGMENTERS)
def exported(request, trained, tmp_path_factory):
    """The shipped model in one format."""
    file = export(trained, tmp_path_factory.mktemp('formats'), request.param)
    return SimpleNamespace(file=file, suffix=request.param, run=load_exported(file))


def test_it_gives_the_masks_of_pytorch(trained, exported):
    photos = [[np.asarray(Image.open(path))] for path in PHOTOS]
    parity = compare(trained, exported.run, [*photos, *random_photos()])
    assert parity.holds, parity
    assert exported.run.classes.names == trained.classes.names
    assert exported.run.classes.mask_colors == trained.classes.mask_colors


@pytest.mark.parametrize('suffix', SEGMENTERS)
def test_flipped_views_are_in_each_format(suffix, tmp_path):
    flipping = TrashSegmenter(MODEL, device='cpu', tta='flip')
    run = load_exported(export(flipping, tmp_path, suffix))
    parity = compare(flipping, run, random_photos())
    assert parity.holds, parity


@pytest.mark.parametrize('suffix', ['.xml', '.ncnn.param'])
def test_float16_is_half_the_file_and_almost_the_same(suffix, trained, tmp_path):
    (tmp_path / 'half').mkdir()
    whole, half = (
        export(trained, folder, suffix, folder.name == 'half')
        for folder in (tmp_path, tmp_path / 'half')
    )
    sizes = [sum(f.stat().st_size for f in load_exported(m).files(m)) for m in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]
    equal = compare(trained, load_exported(half), random_photos()).equal
    assert 0.97 < equal <= 1


def test_damaged_and_missing_files_are_reported(exported, tmp_path):
    files = exported.run.files(exported.file)
    for number, part in enumerate(files):
        folder = tmp_path / str(number)
        folder.mkdir()
        for file in files:
            shutil.copy(file, folder)
        target = folder / exported.file.name
        (folder / part.name).unlink()
        with pytest.raises(UserError, match=f'{part.name}: no such model'):
            load_exported(target)
    for file in files:
        shutil.copy(file, tmp_path)
    target = tmp_path / exported.file.name
    target.write_text('no model')
    with pytest.raises(UserError, match=f'{exported.file.name}: is damaged'):
        load_exported(target)


def test_the_digest_is_of_all_files(exported, tmp_path):
    for file in exported.run.files(exported.file):
        shutil.copy(file, tmp_path)
    again = load_exported(tmp_path / exported.file.name)
    assert again.made_from == exported.run.made_from
    weights = again.files(tmp_path / exported.file.name)[-1]
    if weights.suffix == '.json':
        weights.write_text(weights.read_text() + ' ')
        assert load_exported(tmp_path / exported.file.name).made_from != again.made_from


def test_predict_runs_it(exported, tmp_path, capsys):
    done = call_tool(
        capsys, 'tools/predict.py', exported.file, PHOTOS[0], '--out', tmp_path / 'out'
    )
    assert '1 photos predicted' in done.out
    mask = np.asarray(Image.open(tmp_path / 'out' / 'masks' / f'{PHOTOS[0].stem}.png'))
    assert np.mean(mask == exported.run(PHOTOS[0]).mask) == 1


@pytest.mark.parametrize(
    ('variable', 'threads'), [('3', 3), ('', None), ('0', None), ('many', None)]
)
def test_it_computes_with_a_thread_for_each_core_or_as_asked(variable, threads, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', variable)
    assert cpu_threads() == (threads or len(os.sched_getaffinity(0)))


@pytest.mark.parametrize(
    ('name', 'suffix'),
    [('a.onnx', '.onnx'), ('b/A.XML', '.xml'), ('a.ncnn.param', '.ncnn.param'), ('a.pth', None)],
)
def test_a_name_says_the_format(name, suffix):
    assert suffix_of(name) == suffix


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['a.txt'], 'a name that ends in .onnx, .xml, .ncnn.param'),
        (['a.onnx', '--float16', '--photos', PHOTOS[0]], 'computes with float32 on CPUs'),
        (['a.xml', '--float16'], '--float16 needs --photos'),
        (['a.xml', '--float16', '--int8'], 'give one of them'),
        (['a.ncnn.param', '--argmax'], '--argmax is for .onnx and .xml'),
        (['a.ncnn.param', '--int8', '--photos', PHOTOS[0]], '--int8 is for .onnx and .xml'),
    ],
)
def test_options_that_do_not_go_together(options, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call_tool(capsys, 'tools/export.py', MODEL, '--out', *options, code=2)
    assert message in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('suffix', ['.xml', '.ncnn.param'])
def test_the_command_writes_all_files_of_a_format(suffix, tmp_path, capsys):
    for name in NEEDED[suffix]:
        pytest.importorskip(name)
    target = tmp_path / 'new' / f'a{suffix}'
    options = ['--out', target, '--float16', '--photos', PHOTOS[0], '--max-loss', 5]
    done = call_tool(capsys, 'tools/export.py', MODEL, *options)
    assert 'loses ' in done.out
    files = load_exported(target).files(target)
    assert sorted(target.parent.iterdir()) == sorted(files)
