import asyncio
import threading

import numpy as np

from mmseg_custom.serving.batcher import Batcher, ModelFailed
from mmseg_custom.utils import UserError


def photo(value, height=4, width=4):
    return np.full((height, width, 3), value, np.uint8)


class Model:
    def __init__(self, is_open=True):
        self.calls, self.door = [], threading.Event()
        if is_open:
            self.door.set()

    def __call__(self, photos):
        self.calls.append([(p.shape, int(p[0, 0, 0])) for p in photos])
        assert self.door.wait(10)
        if any(p[0, 0, 0] == 255 for p in photos):
            raise ValueError('a broken photo')
        return [int(p[0, 0, 0]) for p in photos]


async def until(is_true):
    while not is_true():
        await asyncio.sleep(0.001)


def with_batcher(model, body, **options):
    async def run():
        batcher = Batcher(model, **options)
        task = asyncio.create_task(batcher.run())
        try:
            return await asyncio.wait_for(body(batcher, task), 20)
        finally:
            model.door.set()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return asyncio.run(run())


async def behind_a_first(batcher, model, photos):
    """Ask for one photo and, while the model is at work on it, for the others."""
    first = asyncio.create_task(batcher(photo(100)))
    await until(lambda: model.calls)
    others = [asyncio.create_task(batcher(each)) for each in photos]
    await until(lambda: len(batcher) == len(photos))
    return first, others


def test_what_came_meanwhile_shares_a_batch_by_size():
    model, sizes = Model(is_open=False), []

    async def body(batcher, _):
        photos = [photo(1), photo(2, width=6), photo(3), photo(4, width=6), photo(5)]
        first, others = await behind_a_first(batcher, model, photos)
        model.door.set()
        return await asyncio.gather(first, *others)

    assert with_batcher(model, body, max_batch=2, on_batch=sizes.append) == [100, 1, 2, 3, 4, 5]
    assert [[value for _, value in call] for call in model.calls] == [[100], [1, 3], [2, 4], [5]]
    assert all(len({shape for shape, _ in call}) == 1 for call in model.calls)
    assert sizes == [1, 2, 2, 1]


def test_many_are_answered_each_with_its_own():
    model = Model()

    async def body(batcher, _):
        photos = [photo(i % 250, width=4 + i % 3) for i in range(600)]
        return await asyncio.gather(*map(batcher, photos))

    assert with_batcher(model, body, max_batch=8) == [i % 250 for i in range(600)]
    assert len(model.calls) < 600
    assert max(map(len, model.calls)) == 8


def test_only_the_photo_that_fails_is_refused_by_its_name():
    model = Model(is_open=False)

    async def body(batcher, _):
        first = asyncio.create_task(batcher(photo(100)))
        await until(lambda: model.calls)
        values = (1, 255, 2, 3)
        others = [asyncio.create_task(batcher(photo(v), f'{v}.jpg')) for v in values]
        await until(lambda: len(batcher) == len(others))
        model.door.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    first, one, broken, two, three = with_batcher(model, body)
    assert (first, one, two, three) == (100, 1, 2, 3)
    assert isinstance(broken, ModelFailed) and '255.jpg' in str(broken)


def test_a_model_that_answers_too_little_fails_for_each():
    async def body(batcher, _):
        return await asyncio.gather(batcher(photo(1), 'a.jpg'), return_exceptions=True)

    def nothing(photos):
        return []

    nothing.door = threading.Event()
    (failed,) = with_batcher(nothing, body)
    assert isinstance(failed, ModelFailed) and 'a.jpg' in str(failed)


def test_an_error_that_says_the_cause_stays_as_it_is():
    def refuse(photos):
        raise UserError('weights.pth: not finite')

    async def body(batcher, _):
        return await asyncio.gather(batcher(photo(1)), batcher(photo(2)), return_exceptions=True)

    refuse.door = threading.Event()
    assert [str(e) for e in with_batcher(refuse, body)] == ['weights.pth: not finite'] * 2


def test_who_went_away_is_not_computed():
    model = Model(is_open=False)

    async def body(batcher, _):
        first, others = await behind_a_first(batcher, model, [photo(1), photo(2), photo(3)])
        others[1].cancel()
        first.cancel()
        await asyncio.sleep(0)
        model.door.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    first, one, two, three = with_batcher(model, body)
    assert isinstance(first, asyncio.CancelledError) and isinstance(two, asyncio.CancelledError)
    assert (one, three) == (1, 3)
    assert [[value for _, value in call] for call in model.calls] == [[100], [1, 3]]


def test_nobody_is_left_waiting_when_it_stops():
    model = Model(is_open=False)

    async def body(batcher, task):
        first, others = await behind_a_first(batcher, model, [photo(1)])
        task.cancel()
        return await asyncio.gather(first, *others, return_exceptions=True)

    assert all(isinstance(e, asyncio.CancelledError) for e in with_batcher(model, body))
