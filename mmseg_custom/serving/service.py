"""What all pages and APIs of a server share: the line, the decoders, and the model."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, TypeVar

import anyio
import numpy as np
from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect

from mmseg_custom.apis.segmentation import Segmentation
from mmseg_custom.apis.segmentation import Segmenter as AnySegmenter

from .batcher import Batcher
from .body import SentPhoto, too_large
from .capacity import Capacity
from .decoder import Decoder
from .metrics import Metrics
from .turnstile import Turnstile
from .upload import Limits, Upload

# Pixels, mask and confidence of a decoded photo.
BYTES_PER_PIXEL = 3 + 1 + 4
Result = TypeVar('Result')


class Seen(NamedTuple):
    """What the model sees in a photo.

    Attributes:
        upload: The photo.
        mask: ``(h, w)`` uint8 labels, of the size that the model was shown.
        confidence: ``(h, w)`` float32 probabilities of these labels, 0 to 1.
    """

    upload: Upload
    mask: np.ndarray
    confidence: np.ndarray


class Service:
    """One model, its decoders, and the line of requests before them.

    Args:
        segmenter: The model.
        limits: Limits of an upload.
        capacity: What all requests together may take.
    """

    def __init__(self, segmenter: AnySegmenter, limits: Limits, capacity: Capacity):
        self.segmenter, self.limits, self.capacity = segmenter, limits, capacity
        self.turnstile = Turnstile(capacity.max_memory, capacity.max_waiting)
        self.metrics = Metrics(capacity, self.turnstile)
        self._decode = Decoder(limits, capacity.coders, capacity.decode_seconds)
        self._batcher = Batcher(self._predict, capacity.max_batch, self.metrics.batch_size.observe)
        self.metrics.waiting.set_function(self._batcher.__len__)
        # Fair, too: a client whose photos take long to decode leaves a process to the others.
        self._decoding = Turnstile(capacity.coders, sys.maxsize)
        self.coding = anyio.CapacityLimiter(capacity.coders)

    @property
    def decoded_bytes(self) -> int:
        """Bytes that a decoded photo takes, at most."""
        return BYTES_PER_PIXEL * self.limits.max_side**2

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Run the model and end it: the lifespan of an application."""
        task = asyncio.create_task(self._batcher.run())
        try:
            yield
        finally:
            self._decode.close()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def decode(self, photo: SentPhoto, max_side: int | None = None) -> Upload:
        """Decode a photo; see :class:`~mmseg_custom.serving.decoder.Decoder`."""
        if len(photo.content) > self.limits.max_bytes:
            raise too_large(self.limits.max_bytes)
        async with self._decoding.enter(photo.client, 1):
            return await anyio.to_thread.run_sync(self._decode, photo.content, max_side)

    async def see(self, photo: SentPhoto, max_side: int | None = None) -> Seen:
        """Decode a photo and show it to the model.

        Args:
            photo: As it was sent.
            max_side: Shrink to this, if it is smaller than the limit.

        Raises:
            UploadError: The photo is refused.
            UserError: The model fails on it.
        """
        upload = await self.decode(photo, max_side)
        mask, confidence = await self._batcher(upload.photo, photo.name)
        return Seen(upload, mask, confidence)

    def _predict(self, photos: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [summary(found) for found in self.segmenter.batch(photos)]


def summary(found: Segmentation) -> tuple[np.ndarray, np.ndarray]:
    """Return mask and confidence: all probabilities are many times as large.

    Args:
        found: What the model returned.

    Returns:
        tuple[np.ndarray, np.ndarray]: ``(H, W)`` uint8 and float32.
    """
    return found.mask, found.probabilities.max(axis=0)


async def while_there(request: Request, result: Awaitable[Result]) -> Result:
    """Wait for a result as long as the client waits for it.

    Args:
        request: Its body has been read.
        result: What to wait for; is cancelled when the client goes away.

    Raises:
        ClientDisconnect: The client went away.
    """
    task: asyncio.Future[Any] = asyncio.ensure_future(result)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _until_gone(request: Request) -> None:
    while (await request.receive())['type'] != 'http.disconnect':
        pass
