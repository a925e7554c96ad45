import asyncio

import pytest

pytest.importorskip('fastapi')

from fastapi import Request  # noqa: E402

from mmseg_custom.serving.body import body_size, receive  # noqa: E402
from mmseg_custom.serving.capacity import Capacity  # noqa: E402
from mmseg_custom.serving.upload import UploadError  # noqa: E402

FORM = b'multipart/form-data; boundary=x'


def request(receiving=None, kind=b'image/jpeg', length=None):
    headers = [(b'content-type', kind)]
    headers += [(b'content-length', str(length).encode())] if length is not None else []
    client = ('10.0.0.7', 4242)
    return Request(dict(type='http', headers=headers, client=client), receiving)


def sending(*parts):
    left = list(parts)

    async def send():
        return dict(type='http.request', body=left.pop(0), more_body=bool(left))

    return send


def form(*files):
    text = b''.join(
        b'--x\r\nContent-Disposition: form-data; name="photo"%b\r\n\r\n%b\r\n' % file
        for file in files
    )
    return text + b'--x--\r\n'


def received(receiving, kind=b'image/jpeg', most=1000, **options):
    capacity = Capacity(**{k: options.pop(k) for k in list(options) if k.endswith('_seconds')})
    return asyncio.run(receive(request(receiving, kind), most, capacity, **options))


def test_a_body_is_not_read_beyond_the_limit():
    asked = []

    async def endless():
        asked.append(1)
        return dict(type='http.request', body=bytes(1000), more_body=True)

    with pytest.raises(UploadError, match='more than 0.0055 MB') as caught:
        received(endless, most=5500)
    assert caught.value.status == 413 and len(asked) == 6


@pytest.mark.parametrize('limit', ['upload_seconds', 'stall_seconds'])
def test_a_slow_upload_ends(limit):
    async def silence():
        await asyncio.Event().wait()

    with pytest.raises(UploadError) as caught:
        received(silence, **{limit: 0.01})
    assert caught.value.status == 408


def test_an_upload_that_never_stalls_ends_too():
    async def drip():
        await asyncio.sleep(0.001)
        return dict(type='http.request', body=b'x', more_body=True)

    with pytest.raises(UploadError) as caught:
        received(drip, most=10**9, upload_seconds=0.05)
    assert caught.value.status == 408


def test_a_body_of_exactly_the_limit_is_received():
    (photo,) = received(sending(b'abc', b'', b'de'), most=5)
    assert photo.content == b'abcde'


def test_files_of_a_form_are_received_with_their_names():
    body = form((b'; filename="a.jpg"', b'AAA'), (b'; filename="../b.jpg"', b'B' * 99))
    sent = received(sending(body[:50], body[50:]), FORM, files=2)
    expected = [('a.jpg', b'AAA'), ('../b.jpg', b'B' * 99)]
    assert [(one.name, one.content) for one in sent] == expected
    assert {one.client for one in sent} == {'10.0.0.7'}


@pytest.mark.parametrize(
    ('kind', 'body', 'message'),
    [
        (FORM, form((b'; filename="a"', b'A'), (b'; filename="b"', b'B')), 'Too many files'),
        (FORM, form((b'', b'text')), 'Too many fields'),
        (FORM, b'--x--\r\n', 'has no photo'),
        (FORM, b'', 'has no photo'),
        (FORM, b'no form', 'cannot be read'),
        (b'multipart/form-data', form(), 'cannot be read: Missing boundary'),
    ],
)
def test_forms_that_are_none(kind, body, message):
    with pytest.raises(UploadError, match=message) as caught:
        received(sending(body), kind)
    assert caught.value.status == 422


def test_a_large_file_of_a_form_never_gets_to_the_disk(monkeypatch):
    import tempfile

    def refuse(*args, **kwargs):
        raise AssertionError('a photo was written to the disk')

    monkeypatch.setattr(tempfile, 'TemporaryFile', refuse)
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, 'rollover', refuse)
    content = bytes(3 << 20)
    (photo,) = received(sending(form((b'; filename="a"', content))), FORM, most=4 << 20)
    assert photo.content == content


@pytest.mark.parametrize(
    ('kind', 'length', 'size'),
    [
        (b'image/jpeg', 700, 700),
        (b'image/jpeg', None, 1000),
        (b'IMAGE/PNG; a=b', 1000, 1000),
        (FORM, 1001, 1001),
    ],
)
def test_the_size_is_what_the_client_says_or_the_limit(kind, length, size):
    assert body_size(request(kind=kind, length=length), 1000) == size


def test_what_says_that_it_is_too_large_is_not_read():
    with pytest.raises(UploadError) as caught:
        body_size(request(length=1001), 1000)
    assert caught.value.status == 413
