import io
import pickle
import zipfile
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_custom.checkpoints.sealed import is_archive, is_whole, write_sealed

CONTENT = dict(state_dict=dict(a=torch.arange(40.0), b=torch.ones(3)), meta=dict(iter=3))


def archive() -> bytes:
    buffer = io.BytesIO()
    torch.save(CONTENT, buffer)
    return buffer.getvalue()


@pytest.fixture(scope='module')
def sealed(tmp_path_factory):
    path = tmp_path_factory.mktemp('sealed') / 'a.pth'
    write_sealed(path, archive())
    return path


@pytest.fixture(scope='module')
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp('scratch') / 'b.pth'


@pytest.mark.parametrize('mmap', [False, True])
def test_torch_and_zip_read_a_sealed_file_as_ever(sealed, mmap):
    read = torch.load(sealed, weights_only=True, mmap=mmap)
    assert read['meta'] == CONTENT['meta']
    for name, value in CONTENT['state_dict'].items():
        assert torch.equal(read['state_dict'][name], value)
    assert zipfile.ZipFile(sealed).testzip() is None
    assert is_whole(sealed)


def test_files_of_others_are_judged_by_their_own_checksums(scratch):
    scratch.write_bytes(archive())
    assert is_whole(scratch)
    scratch.write_bytes(b'')
    assert not is_whole(scratch)


@pytest.mark.parametrize('content', [CONTENT, dict(CONTENT, odd=Fraction(1, 3))])
def test_files_from_before_the_archives(scratch, content):
    torch.save(content, scratch, _use_new_zipfile_serialization=False)
    assert is_whole(scratch)
    whole = scratch.read_bytes()
    for length in range(0, len(whole), 7):
        scratch.write_bytes(whole[:length])
        if is_whole(scratch):  # cut inside the name of what it asks for
            with pytest.raises(pickle.UnpicklingError, match='Unsupported global'):
                torch.load(scratch, weights_only=True)


@settings(max_examples=400)
@given(data=st.data())
def test_any_flipped_bit_is_found(sealed, scratch, data):
    content = bytearray(sealed.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    scratch.write_bytes(content)
    assert not is_whole(scratch)


@settings(max_examples=200)
@given(data=st.data())
def test_any_cut_is_found(sealed, scratch, data):
    content = sealed.read_bytes()
    scratch.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    assert not is_whole(scratch)


@settings(max_examples=200)
@given(data=st.data())
def test_a_flip_in_the_tensors_of_other_peoples_files_is_found(scratch, data):
    content = bytearray(archive())
    values = CONTENT['state_dict']['a'].numpy().tobytes()
    start = content.index(values)
    content[start + data.draw(st.integers(0, len(values) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    scratch.write_bytes(content)
    # Bytes, since -0.0 equals 0.0
    assert torch.load(scratch)['state_dict']['a'].numpy().tobytes() != values
    assert not is_whole(scratch)


@settings(max_examples=200)
@given(content=st.binary(max_size=300))
def test_other_bytes_are_no_checkpoint(scratch, content):
    scratch.write_bytes(b'PK\x03\x04' + content)
    assert not is_whole(scratch)


def test_only_what_torch_writes_is_sealed():
    assert is_archive(archive())
    assert not is_archive(b'{"a": 1}')
    assert not is_archive(b'')
