import os
import pickle
from fractions import Fraction
from pathlib import PosixPath

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmseg_custom.checkpoints.safe_load import load_checkpoint, no_code, read_checkpoint, trust
from mmseg_custom.utils import UserError


def test_what_mmengine_writes_is_read(tmp_path):
    curve = HistoryBuffer([1.0, 2.0], [1, 1])
    hub = dict(log_scalars={'train/loss': curve}, runtime_info=dict(iter=3, value=np.float32(2.5)))
    content = dict(
        meta=dict(iter=3, dataset_meta=dict(classes=('a', 'b'))),
        state_dict=dict(w=torch.arange(3.0)),
        message_hub=hub,
        optimizer=dict(state={0: dict(step=torch.tensor(3.0))}),
    )
    torch.save(content, tmp_path / 'a.pth')
    read = load_checkpoint(tmp_path / 'a.pth')
    assert torch.equal(read['state_dict']['w'], torch.arange(3.0))
    assert read['meta'] == content['meta']
    assert read['message_hub']['log_scalars']['train/loss'].mean() == 1.5
    assert read['message_hub']['runtime_info']['value'] == np.float32(2.5)


def test_a_bare_state_dict_is_wrapped(tmp_path):
    torch.save(dict(w=torch.ones(2)), tmp_path / 'a.pth')
    assert torch.equal(load_checkpoint(tmp_path / 'a.pth')['state_dict']['w'], torch.ones(2))


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Asks:
    """Reaches for everything through a name that is let through, as exploits do."""

    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return getattr, (HistoryBuffer, self.name)


@pytest.mark.parametrize('where', ['state_dict', 'message_hub', 'optimizer'])
def test_code_in_a_checkpoint_is_not_run(tmp_path, where):
    mark = tmp_path / 'was_here'
    for payload in (
        Runs(os.system, f'touch {mark}'),
        Runs(eval, f"open({str(mark)!r}, 'w')"),
        Runs(os.mkdir, str(mark)),
    ):
        path = tmp_path / 'evil.pth'
        torch.save(dict(state_dict={}) | {where: dict(x=payload)}, path)
        with pytest.raises(UserError, match=r'evil.pth: holds more than weights'):
            load_checkpoint(path)
        assert not mark.exists()


@pytest.mark.parametrize('name', ['__init__', '__class__', '__dict__', '__reduce__', '__module__'])
def test_a_curve_gives_its_statistics_and_nothing_else(tmp_path, name):
    torch.save(dict(state_dict={}, x=Asks('mean')), tmp_path / 'a.pth')
    assert load_checkpoint(tmp_path / 'a.pth')['x'] is HistoryBuffer.mean
    torch.save(dict(state_dict={}, x=Asks(name)), tmp_path / 'b.pth')
    with pytest.raises(UserError, match='could run code'):
        load_checkpoint(tmp_path / 'b.pth')


def test_other_files_are_told(tmp_path):
    with pytest.raises(UserError, match='no such checkpoint'):
        load_checkpoint(tmp_path / 'gone.pth')
    (tmp_path / 'a.pth').write_bytes(b'PK\x03\x04 cut')
    with pytest.raises(UserError, match='truncated'):
        load_checkpoint(tmp_path / 'a.pth')
    torch.save([1, 2], tmp_path / 'a.pth')
    with pytest.raises(UserError, match='holds a list'):
        load_checkpoint(tmp_path / 'a.pth')


def test_trust_is_for_the_named_file_or_folder_only(tmp_path):
    for name in ('a.pth', 'b.pth', 'sub/c.pth'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        torch.save(dict(state_dict={}, old=Fraction(1, 3)), tmp_path / name)
    trust(tmp_path / 'a.pth', tmp_path / 'sub')
    with no_code():
        assert load_checkpoint(tmp_path / 'a.pth')['old'] == Fraction(1, 3)
        assert load_checkpoint(tmp_path / 'sub' / 'c.pth')['old'] == Fraction(1, 3)
        with pytest.raises(UserError, match=r'b.pth: holds more than weights') as refused:
            load_checkpoint(tmp_path / 'b.pth')
    assert refused.value.kind == 'untrusted-checkpoint'


@pytest.mark.parametrize(
    ('found', 'name'),
    [
        (Fraction(1, 3), 'fractions.Fraction'),
        (PosixPath('a'), 'pathlib.PosixPath'),
        (os.system, 'posix.system'),
        (torch.nn.Linear(1, 1), 'torch.nn.modules.linear.Linear'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_message_names_what_was_found_and_nothing_else(found, name, tmp_path):
    torch.save(dict(state_dict=found), tmp_path / 'a.pth')
    with pytest.raises(UserError) as refused:
        load_checkpoint(tmp_path / 'a.pth')
    message = str(refused.value)
    assert f'({name})' in message
    assert message.isprintable()
    assert 'weights_only' not in message


def test_a_trusted_file_still_has_to_be_whole(tmp_path):
    torch.save(dict(state_dict=dict(w=torch.ones(99)), old=Fraction(1, 3)), tmp_path / 'a.pth')
    trust(tmp_path / 'a.pth')
    content = (tmp_path / 'a.pth').read_bytes()
    (tmp_path / 'a.pth').write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match='truncated'):
        load_checkpoint(tmp_path / 'a.pth')


def test_libraries_cannot_ask_for_code_meanwhile(tmp_path, monkeypatch):
    monkeypatch.delenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', raising=False)
    mark = tmp_path / 'was_here'
    torch.save(dict(a=Runs(os.mkdir, str(mark))), tmp_path / 'a.pth')
    torch.save(dict(a=np.float32(2.5)), tmp_path / 'b.pth')
    with no_code():
        with pytest.raises(pickle.UnpicklingError):
            torch.load(tmp_path / 'a.pth', weights_only=False)
        assert torch.load(tmp_path / 'b.pth', weights_only=False) == dict(a=2.5)
    assert not mark.exists()
    torch.load(tmp_path / 'a.pth', weights_only=False)
    assert mark.exists()


def test_the_content_is_given_as_it_is_and_where_it_is_wanted(tmp_path):
    torch.save(dict(model=dict(w=torch.ones(2))), tmp_path / 'a.pth')
    assert read_checkpoint(tmp_path / 'a.pth', 'meta')['model']['w'].device.type == 'meta'
