import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from mmseg_custom.checkpoints.safetensors_file import read_safetensors, write_safetensors
from mmseg_custom.utils import UserError


def checkpoint() -> dict:
    torch.manual_seed(0)
    shared = torch.arange(6.0)
    state = dict(
        a=shared.reshape(2, 3),
        same_memory=shared,
        turned=torch.rand(3, 4).t(),
        half=torch.rand(4).half(),
        bf16=torch.rand(4).bfloat16(),
        count=torch.tensor(7),
        empty=torch.zeros(0),
        flag=torch.tensor([True, False]),
    )
    classes = dict(classes=('Background', 'Papier d’étain'), palette=[[0, 0, 0], [1, 2, 3]])
    return dict(state_dict=state, meta=dict(dataset_meta=classes, iter=3))


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert value.dtype == second[name].dtype
        assert torch.equal(value, second[name]), name


def test_weights_and_classes_come_back(tmp_path):
    path = tmp_path / 'a.safetensors'
    write_safetensors(path, checkpoint())
    read = read_safetensors(path)
    assert_same(checkpoint()['state_dict'], read['state_dict'])
    assert read['meta']['dataset_meta'] == dict(
        classes=['Background', 'Papier d’étain'], palette=[[0, 0, 0], [1, 2, 3]]
    )
    assert_same(load_file(path), read['state_dict'])


def test_files_of_others_are_read(tmp_path):
    save_file(dict(a=torch.ones(2)), tmp_path / 'a.safetensors')
    read = read_safetensors(tmp_path / 'a.safetensors', 'meta')
    assert read['state_dict']['a'].device.type == 'meta'
    assert read['meta'] == dict(dataset_meta={})


def test_what_is_no_tensor_is_named(tmp_path):
    with pytest.raises(UserError, match='extra is no tensor'):
        write_safetensors(tmp_path / 'a.safetensors', dict(state_dict=dict(extra='x')))
    assert not list(tmp_path.iterdir())


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match='gone.safetensors: no such checkpoint'):
        read_safetensors(tmp_path / 'gone.safetensors')


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp('st') / 'a.safetensors'
    write_safetensors(path, checkpoint())
    return path, read_safetensors(path)


@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_file_is_told_or_reads_the_same(written, data):
    path, whole = written
    content = bytearray(path.read_bytes())
    damaged = path.with_name('b.safetensors')
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    damaged.write_bytes(content)
    try:
        read = read_safetensors(damaged)
    except UserError as error:
        assert 'b.safetensors: is damaged' in str(error)
    else:
        assert_same(whole['state_dict'], read['state_dict'])
