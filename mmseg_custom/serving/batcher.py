"""Requests that come at the same time share passes of the model."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

Predict = Callable[[Sequence[np.ndarray]], Sequence[Any]]


class Busy(Exception):
    """The queue is full."""


class _Waiting(NamedTuple):
    photo: np.ndarray
    answer: asyncio.Future


class Batcher:
    """Collects photos while the model is at work, and gives it those of one size together.

    Nothing waits for others to come: an idle model starts at once, and what arrives in the
    meantime is its next batch. The photo that has waited longest is always in it.

    Args:
        predict: Called in a thread, one call at a time, with photos ``(H, W, 3)`` uint8 of one
            size; returns an answer for each.
        max_batch: How many photos at most it is given.
        max_waiting: How many photos at most wait for it.
        on_batch: Called with the size of each batch.

    Example:
        >>> batcher = Batcher(segmenter.batch)
        >>> runner = asyncio.create_task(batcher.run())
        >>> segmentation = await batcher(photo)
    """

    def __init__(
        self,
        predict: Predict,
        max_batch: int = 8,
        max_waiting: int = 256,
        on_batch: Callable[[int], Any] = lambda size: None,
    ):
        self._predict, self._on_batch = predict, on_batch
        self._max_batch, self._max_waiting = max_batch, max_waiting
        self._queue: list[_Waiting] = []
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        """How many photos wait."""
        return len(self._queue)

    async def __call__(self, photo: np.ndarray) -> Any:
        """Return what ``predict`` says about a photo.

        Args:
            photo: ``(H, W, 3)`` uint8.

        Raises:
            Busy: Too many photos wait already.
            Exception: Whatever ``predict`` raised at the batch.
        """
        if len(self._queue) >= self._max_waiting:
            raise Busy
        waiting = _Waiting(photo, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._arrived.set()
        return await waiting.answer

    async def run(self) -> None:
        """Answer until cancelled; those that still wait then are cancelled, too."""
        try:
            while True:
                await self._arrived.wait()
                await self._answer(self._next_batch())
                if not self._queue:
                    self._arrived.clear()
        finally:
            for waiting in self._queue:
                waiting.answer.cancel()

    def _next_batch(self) -> list[_Waiting]:
        """Take the oldest photo and those of its size; who has gone away is left out."""
        here = [waiting for waiting in self._queue if not waiting.answer.done()]
        batch = [w for w in here if w.photo.shape == here[0].photo.shape][: self._max_batch]
        taken = set(map(id, batch))
        self._queue = [waiting for waiting in here if id(waiting) not in taken]
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        self._on_batch(len(batch))
        try:
            answers = await asyncio.to_thread(self._predict, [w.photo for w in batch])
            for waiting, answer in zip(batch, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)
        except Exception as error:
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
        finally:
            for waiting in batch:
                waiting.answer.cancel()
