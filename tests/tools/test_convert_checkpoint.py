from fractions import Fraction

import torch
from conftest import ROOT, call_tool, tool
from safetensors.torch import load_file

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.checkpoints.sealed import is_whole
from mmseg_custom.classes import built_in

CLASSES = built_in().names

TOY = str(ROOT / 'configs' / 'upernet_swin_toy.py')
CONVERT = 'tools/convert_checkpoint.py'


def test_there_and_back(random_checkpoint, tmp_path, capsys):
    weights, back = tmp_path / 'a.safetensors', tmp_path / 'b.pth'
    said = call_tool(capsys, CONVERT, random_checkpoint, '--out', weights).out
    assert f'tensors to {weights}' in said
    call_tool(capsys, CONVERT, weights, '--out', back)
    assert is_whole(back)
    first = torch.load(random_checkpoint, weights_only=False)
    second = torch.load(back, weights_only=True)
    assert first['state_dict'].keys() == second['state_dict'].keys() == load_file(weights).keys()
    for name, value in first['state_dict'].items():
        assert torch.equal(value, second['state_dict'][name])
    assert tuple(second['meta']['dataset_meta']['classes']) == CLASSES

    photo = (torch.rand(64, 64, 3) * 255).byte().numpy()
    found = [TrashSegmenter(TOY, path)(photo) for path in (random_checkpoint, weights, back)]
    for other in found[1:]:
        assert (other.probabilities == found[0].probabilities).all()
        assert other.classes == found[0].classes


def test_mistakes(random_checkpoint, tmp_path, capsys):
    said = call_tool(capsys, CONVERT, random_checkpoint, '--out', tmp_path / 'a.onnx', code=2).err
    assert 'a.onnx: the name must end in .pth or .safetensors' in said
    odd = tmp_path / 'odd.pth'
    torch.save(dict(state_dict=dict(a='text')), odd)
    said = call_tool(capsys, CONVERT, odd, '--out', tmp_path / 'a.safetensors', code=2).err
    assert 'a is no tensor' in said


def test_an_old_file_becomes_a_safe_one(tmp_path, capsys):
    old, new = tmp_path / 'old.pth', tmp_path / 'new.pth'
    torch.save(dict(state_dict=dict(a=torch.ones(2)), args=Fraction(1, 3)), old)
    assert '--trust-checkpoint' in call_tool(capsys, CONVERT, old, '--out', new, code=2).err
    assert not new.exists()
    call_tool(capsys, CONVERT, old, '--out', new, '--trust-checkpoint')
    assert torch.equal(torch.load(new, weights_only=True)['state_dict']['a'], torch.ones(2))


def test_help_answers_without_torch():
    assert '.safetensors' in tool(CONVERT, '--help').stdout
