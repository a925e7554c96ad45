"""The page of the models has one row for each experiment, with what the experiment says."""

import json
import os
import re

import pytest
from conftest import ROOT
from mmseg.registry import MODELS
from narrow_zoo import config_of

from benchmarks.model_zoo import in_processes

PAGE = (ROOT / 'docs' / 'model_zoo.md').read_text(encoding='utf-8')
ROWS = {
    cells[0].strip('` ').removesuffix('.py'): [cell.strip() for cell in cells[1:]]
    for line in PAGE.splitlines()
    if re.match(r'\| `\w+_trash\.py` \|', line)
    for cells in [line.strip('| ').split(' | ')]
}
NAMES = sorted(path.stem for path in (ROOT / 'configs').glob('*_trash.py'))


def test_each_experiment_has_a_row():
    assert sorted(ROWS) == NAMES


@pytest.mark.parametrize('name', ['laptop_mobilenetv2_trash', 'segformer_b0_trash'])
def test_parameters_are_the_models(name):
    model = MODELS.build(config_of(name).model)
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    assert ROWS[name][0] == f'{millions:.1f} M'


def test_multiplications_are_the_published_ones():
    costs = json.loads((ROOT / 'benchmarks' / 'model_zoo.json').read_text())
    # Table 1 of Xie et al., NeurIPS 2021: SegFormer-B0 8.4 G with 512x512, without attention's.
    assert costs['segformer_b0_trash']['gmacs'] == pytest.approx(8.4, rel=0.1)


@pytest.mark.parametrize('name', NAMES)
def test_weights_are_named_as_in_the_experiment(name):
    backbone = config_of(name).model.backbone
    weights = ROWS[name][2]
    if backbone.type == 'TimmFeatures':
        assert weights == f'timm {backbone.model_name}'
    assert weights


def test_a_model_whose_process_is_killed_is_named(capsys):
    # As the kernel does where memory is short.
    assert not list(in_processes(os._exit, [9]))
    assert '9: was not measured: BrokenProcessPool' in capsys.readouterr().out
