import asyncio
import threading

import numpy as np
import pytest

pytest.importorskip('fastapi')
pytest.importorskip('prometheus_client')

from mmseg_custom.serving.body import SentPhoto  # noqa: E402
from mmseg_custom.serving.capacity import Capacity  # noqa: E402
from mmseg_custom.serving.service import Service  # noqa: E402
from mmseg_custom.serving.upload import Limits, Upload, UploadError  # noqa: E402


def test_a_client_with_slow_photos_leaves_a_decoder_to_others():
    service, door, begun = Service(None, Limits(), Capacity(coders=2)), threading.Event(), []

    def decode(content, max_side):
        begun.append(content)
        if content == b'slow':
            assert door.wait(60)
        return Upload(np.zeros((1, 1, 3), np.uint8), 1, 1)

    service._decode = decode

    async def scenario():
        slow = [SentPhoto(str(n), b'slow', '10.0.0.1') for n in range(5)]
        waiting = [asyncio.create_task(service.decode(one)) for one in slow]
        while not begun:
            await asyncio.sleep(0.01)
        await asyncio.wait_for(service.decode(SentPhoto('a', b'quick', '10.0.0.2')), 60)
        assert begun == [b'slow', b'quick']
        door.set()
        await asyncio.gather(*waiting)
        assert len(begun) == 6

    try:
        asyncio.run(scenario())
    finally:
        door.set()


def test_more_bytes_than_allowed_are_not_decoded():
    service = Service(None, Limits(max_bytes=5), Capacity())
    with pytest.raises(UploadError) as caught:
        asyncio.run(service.decode(SentPhoto('a', b'123456')))
    assert caught.value.status == 413
