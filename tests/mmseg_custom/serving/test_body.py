import asyncio
import io

import pytest

pytest.importorskip('fastapi')

from fastapi import Request  # noqa: E402

from mmseg_custom.serving import body  # noqa: E402
from mmseg_custom.serving.upload import UploadError  # noqa: E402


def test_a_body_is_not_read_beyond_the_limit():
    asked = []

    async def endless():
        asked.append(1)
        return dict(type='http.request', body=bytes(1000), more_body=True)

    with pytest.raises(UploadError) as caught, io.BytesIO() as file:
        asyncio.run(body.receive(Request(dict(type='http', headers=[]), endless), file, 5500))
    assert caught.value.status == 413 and len(asked) == 6


def test_a_slow_upload_ends(monkeypatch):
    async def silence():
        await asyncio.Event().wait()

    monkeypatch.setattr(body, 'UPLOAD_SECONDS', 0.01)
    with pytest.raises(UploadError) as caught, io.BytesIO() as file:
        asyncio.run(body.receive(Request(dict(type='http', headers=[]), silence), file, 10))
    assert caught.value.status == 408


def test_a_body_of_exactly_the_limit_is_received():
    parts = [b'abc', b'', b'de']

    async def send():
        return dict(type='http.request', body=parts.pop(0), more_body=bool(parts))

    with io.BytesIO() as file:
        asyncio.run(body.receive(Request(dict(type='http', headers=[]), send), file, 5))
        assert file.read() == b'abcde'
