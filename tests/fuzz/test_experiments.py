import json

import pytest
from conftest import ROOT
from hostile_inputs import damaged, fuzz, mutated
from hypothesis import example, given, settings
from hypothesis import strategies as st

import mmseg_custom.plugins  # noqa: F401  (registers what overrides may name)
from mmseg_custom.experiment import config as experiment
from mmseg_custom.utils import UserError

TOY = str(ROOT / 'configs' / 'upernet_swin_toy.py')
SOUND = {
    'optim_wrapper': {'optimizer': {'_delete_': True, 'type': 'RAdam', 'lr': 1e-4}},
    'train_dataloader.batch_size': 3,
    'custom_hooks': [{'type': 'EMAHook', 'momentum': 0.1}],
    'model': {'backbone': {'depths': [1, 1, 2, 1]}},
}
YAML = b"""
optim_wrapper: {optimizer: {lr: 1.0e-4}}
train_dataloader:
  batch_size: 3
"""
few = settings(fuzz, max_examples=fuzz.max_examples // 3)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz')


def changed_or_refused(path):
    cfg = experiment.load_config(TOY)
    try:
        experiment.change(cfg, override=str(path))
    except UserError as error:
        assert str(path) in str(error)


@few
@given(content=mutated(SOUND))
def test_a_mutated_override_is_applied_or_refused(folder, content):
    path = folder / 'o.json'
    path.write_text(json.dumps(content))
    changed_or_refused(path)


@few
@given(body=st.one_of(damaged(YAML), damaged(json.dumps(SOUND).encode()), st.binary(max_size=40)))
@example(body=b'? [1]\n: 2')
@example(body=b'2001-01-01: 1')
@example(body=b'optim_wrapper: 2001-01-01')
def test_a_damaged_override_is_applied_or_refused(folder, body):
    path = folder / 'o.yaml'
    path.write_bytes(body)
    changed_or_refused(path)


@few
@given(body=st.one_of(damaged(b"_base_ = '" + TOY.encode() + b"'\nx = dict(a=1)\n"), st.binary()))
@example(body=b"_base_ = './config.py'\n")
@example(body=b'\xff\xfe\0')
def test_a_damaged_config_is_read_or_refused(folder, body):
    path = folder / 'config.py'
    path.write_bytes(body)
    try:
        experiment.load_config(str(path))
    except UserError as error:
        assert str(path) in str(error)
