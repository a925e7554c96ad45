import os

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.runner import load_checkpoint, save_checkpoint
from mmengine.runner.checkpoint import load_from_local
from torch import nn

from mmseg_custom.checkpoints import safe_mmengine_files
from mmseg_custom.checkpoints.safetensors_file import write_safetensors
from mmseg_custom.utils import UserError


@pytest.fixture(autouse=True)
def _safe_files():
    with safe_mmengine_files():
        yield


class Payload:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def hostile(tmp_path):
    path = tmp_path / 'hostile.pth'
    content = dict(state_dict=nn.Linear(2, 1).state_dict(), meta=Payload(tmp_path / 'was_here'))
    torch.save(content, path)
    return path


def test_the_payload_is_a_real_one(hostile, tmp_path):
    load_from_local(str(hostile), None)  # what MMEngine would have used
    assert (tmp_path / 'was_here').exists()


def test_mmengine_runs_nothing(hostile, tmp_path):
    with pytest.raises(UserError, match='hostile.pth: holds more than weights'):
        load_checkpoint(nn.Linear(2, 1), str(hostile))
    init_cfg = dict(type='Pretrained', checkpoint=str(hostile))
    with pytest.raises(UserError, match='hostile.pth: holds more than weights'):
        BaseModule(init_cfg).init_weights()
    assert not (tmp_path / 'was_here').exists()


def test_mmengine_loads_what_is_harmless(tmp_path, monkeypatch):
    source = nn.Linear(2, 1)
    content = dict(state_dict=source.state_dict())
    save_checkpoint(content, str(tmp_path / 'a.pth'))
    save_checkpoint(source.state_dict(), str(tmp_path / 'bare.pth'))
    write_safetensors(tmp_path / 'a.safetensors', content)
    monkeypatch.setenv('HOME', str(tmp_path))
    for path in (tmp_path / 'a.pth', tmp_path / 'bare.pth', '~/a.safetensors'):
        target = nn.Linear(2, 1)
        load_checkpoint(target, str(path), strict=True)
        assert torch.equal(target.weight, source.weight)


def test_weights_under_another_name_stay_where_they_are(tmp_path):
    torch.save(dict(model=dict(a=torch.ones(1))), tmp_path / 'a.pth')
    loaded = load_checkpoint(nn.Linear(1, 1), str(tmp_path / 'a.pth'))
    assert list(loaded) == ['model']
