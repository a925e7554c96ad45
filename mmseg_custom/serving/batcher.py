"""Requests that come at the same time share passes of the model."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmseg_custom.utils import UserError

Predict = Callable[[Sequence[np.ndarray]], Sequence[Any]]
LOG = logging.getLogger('trash_seg.serving')


class ModelFailed(UserError):
    """The model raised an exception for one photo; the log has its traceback."""


class _Waiting(NamedTuple):
    photo: np.ndarray
    name: str
    answer: asyncio.Future

    def settle(self, result: Any) -> None:
        """Answer, unless whoever asked has gone away."""
        if self.answer.done():
            return
        if isinstance(result, Exception):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)


class Batcher:
    """Collects photos while the model is at work, and gives it those of one size together.

    Nothing waits for others to come: an idle model starts at once, and what arrives in the
    meantime is its next batch. The photo that has waited longest is always in it. When a batch
    fails, its photos are predicted one by one, so that only the photo that fails is refused.

    Args:
        predict: Called in a thread, one call at a time, with photos ``(H, W, 3)`` uint8 of one
            size; returns an answer for each.
        max_batch: How many photos at most it is given.
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
        on_batch: Callable[[int], Any] = lambda size: None,
    ):
        self._predict, self._on_batch = predict, on_batch
        self._max_batch = max_batch
        self._queue: list[_Waiting] = []
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        """Return how many photos wait."""
        return len(self._queue)

    async def __call__(self, photo: np.ndarray, name: str = 'the photo') -> Any:
        """Return what ``predict`` says about a photo.

        Args:
            photo: ``(H, W, 3)`` uint8.
            name: Named in messages.

        Raises:
            UserError: Raised by ``predict`` for this photo.
            ModelFailed: Any other exception of ``predict``.
        """
        waiting = _Waiting(photo, name, asyncio.get_running_loop().create_future())
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
            await self._run_model(batch)
        finally:
            for waiting in batch:
                waiting.answer.cancel()

    async def _run_model(self, batch: list[_Waiting]) -> None:
        try:
            answers = await asyncio.to_thread(self._predict, [w.photo for w in batch])
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.settle(answer)
        except Exception as error:
            if len(batch) > 1:
                for waiting in batch:
                    if not waiting.answer.done():
                        await self._run_model([waiting])
            elif isinstance(error, UserError):
                batch[0].settle(error)
            else:
                LOG.exception('the model fails on %s', batch[0].name)
                batch[0].settle(ModelFailed(f'the model fails on {batch[0].name}'))
