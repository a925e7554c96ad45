import json
import runpy

import numpy as np
import pytest
from conftest import ROOT, call_tool
from mmengine.config import Config

from mmseg_custom import cli
from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, load_mask, paint
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.prediction.probabilities import path_of, read_probabilities, write_probabilities

CLASSES = built_in().names

pytest.importorskip('numba')
TOOL = 'tools/crf.py'


@pytest.fixture(scope='module')
def predicted(toy_set, tmp_path_factory):
    """Blurred truths with noise, as a model might have said them."""
    folder = tmp_path_factory.mktemp('predicted')
    rng = np.random.default_rng(0)
    for sample in coco_to_samples(json.loads((toy_set / 'val.json').read_text()), built_in()):
        mask = paint(sample['annotations'], sample['height'], sample['width'], fill=0)
        seen = (mask == np.arange(len(CLASSES))[:, None, None]) * 2.0
        logits = seen + rng.normal(0, 1, seen.shape)
        exp = np.exp(logits)
        name = sample['file_name'].removesuffix('.jpg')
        write_probabilities(path_of(folder, name), exp / exp.sum(0))
    return folder


def test_writes_what_the_crf_says_and_measures_it(predicted, toy_set, tmp_path, capsys):
    out = tmp_path / 'out'
    printed = call_tool(capsys, TOOL, predicted, toy_set / 'val.json', '--out', out).out
    scores = json.loads((out / 'crf.json').read_text())
    assert scores['after']['mIoU'] > scores['before']['mIoU'] + 0.1
    assert f'{100 * scores["after"]["mIoU"]:.2f}' in printed
    samples = coco_to_samples(json.loads((out / 'predictions.json').read_text()), built_in())
    assert len(samples) == 7
    for sample in samples:
        name = sample['file_name'].removesuffix('.jpg')
        photo = np.ascontiguousarray(read_photo(toy_set / sample['file_name'])[..., ::-1])
        expected = DenseCrf()(photo, read_probabilities(path_of(predicted, name))).argmax(0)
        mask = load_mask(out / 'masks' / f'{name}.png', 64, 64, built_in())
        assert np.array_equal(mask, expected)
        assert np.array_equal(paint(sample['annotations'], 64, 64, fill=0), mask)


def test_goes_on_where_it_was_stopped(predicted, toy_set, tmp_path, capsys):
    out = tmp_path / 'out'
    command = (TOOL, predicted, toy_set / 'val.json', '--out', out, '--probabilities')
    call_tool(capsys, *command)
    first, second, *_ = sorted((out / 'masks').rglob('*.png'))
    content = first.read_bytes()
    first.unlink()
    second.write_bytes(content)
    call_tool(capsys, *command)
    assert first.read_bytes() == content
    assert second.read_bytes() == content
    error = call_tool(capsys, *command, '--keep-small', '0.9', code=2).err
    assert 'another --out' in error


def test_a_search_goes_on_and_writes_a_config(predicted, toy_set, tmp_path, capsys):
    out = tmp_path / 'tuned.py'
    command = (TOOL, predicted, toy_set / 'val.json', '--out', out)
    call_tool(capsys, *command, '--tune', 2)
    trials = (tmp_path / 'tuned.py.trials').read_text()
    printed = call_tool(capsys, *command, '--tune', 4).out
    assert (tmp_path / 'tuned.py.trials').read_text().startswith(trials)
    crf = DenseCrf(**Config.fromfile(str(out)).crf)
    assert 1 <= crf.iterations <= 10
    refined = tmp_path / 'refined'
    call_tool(capsys, TOOL, predicted, toy_set / 'val.json', '--crf', out, '--out', refined)
    after = json.loads((refined / 'crf.json').read_text())['after']['mIoU']
    assert f'-> {100 * after:6.2f}' in printed


def test_says_what_is_wrong(predicted, toy_set, tmp_path, capsys):
    out = tmp_path / 'out'
    assert 'no probabilities of' in call_tool(
        capsys, TOOL, predicted, toy_set / 'train.json', '--out', out, code=2
    ).err  # fmt: skip
    assert 'let its name end with .py' in call_tool(
        capsys, TOOL, predicted, toy_set / 'val.json', '--tune', 2, '--out', out, code=2
    ).err  # fmt: skip


def test_an_unknown_crf_is_a_usage_error(predicted, toy_set, tmp_path, capsys):
    module = runpy.run_path(str(ROOT / TOOL))
    arguments = [predicted, toy_set / 'val.json', '--crf', 'strong', '--out', tmp_path / 'out']
    with pytest.raises(SystemExit, match='2'):
        cli.main(module['build_parser'], module['run'], [*map(str, arguments)])
    assert "'strong' is none of default, keep_small, pydensecrf" in capsys.readouterr().err
