import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

from mmseg_custom.serving.turnstile import Busy, Turnstile, client_of


class Visitor:
    """A request that stays inside until it is told to leave."""

    def __init__(self, turnstile, client, size, inside):
        self.name, self._leave = f'{client}{size}', asyncio.Event()
        self.task = asyncio.create_task(self._visit(turnstile, client, size, inside))

    async def _visit(self, turnstile, client, size, inside):
        async with turnstile.enter(client, size):
            inside.append(self.name)
            await self._leave.wait()

    async def leave(self):
        self._leave.set()
        await self.task


def visiting(scenario, capacity=100, max_waiting=9):
    async def run():
        turnstile, inside = Turnstile(capacity, max_waiting), []

        async def come(client, size):
            visitor = Visitor(turnstile, client, size, inside)
            for _ in range(3):
                await asyncio.sleep(0)
            return visitor

        await asyncio.wait_for(scenario(turnstile, come, inside), 10)
        return inside

    return asyncio.run(run())


def test_memory_is_bounded_and_who_waits_gets_in_when_it_is_free():
    async def scenario(turnstile, come, inside):
        first, second, third = await come('a', 40), await come('b', 50), await come('c', 20)
        assert inside == ['a40', 'b50'] and turnstile.held == 90 and len(turnstile) == 1
        await first.leave()
        await asyncio.sleep(0)
        assert inside == ['a40', 'b50', 'c20'] and turnstile.held == 70
        await second.leave()
        await third.leave()
        assert turnstile.held == 0 and len(turnstile) == 0

    visiting(scenario)


def test_a_client_with_many_does_not_keep_another_from_its_first():
    async def scenario(turnstile, come, inside):
        many = [await come('a', 20) for _ in range(6)]
        # The other half of the memory is free for others.
        assert inside == ['a20', 'a20'] and turnstile.held == 40
        other = await come('b', 60)
        assert inside[-1] == 'b60'
        last = await come('c', 20)
        assert inside[-1] == 'b60'
        # The one that holds nothing comes before the one that waits longer.
        await many[0].leave()
        await asyncio.sleep(0)
        assert inside[-1] == 'c20'
        for one in (*many[1:], other, last):
            await one.leave()
        assert len(inside) == 8 and turnstile.held == 0

    visiting(scenario)


def test_a_full_line_refuses_the_last_of_the_client_with_most():
    async def scenario(turnstile, come, inside):
        one, two = await come('a', 50), await come('d', 50)
        waiting = [await come('a', size) for size in (11, 12, 13)]
        other = await come('b', 14)
        with pytest.raises(Busy):
            await waiting[-1].task
        assert len(turnstile) == 3
        for each in (one, two, other, *waiting[:2]):
            await each.leave()
        assert sorted(inside) == ['a11', 'a12', 'a50', 'b14', 'd50']

    visiting(scenario, max_waiting=3)


def test_what_is_larger_than_all_the_memory_gets_in_alone():
    async def scenario(turnstile, come, inside):
        small = await come('a', 10)
        large = await come('b', 500)
        assert inside == ['a10']
        await small.leave()
        await asyncio.sleep(0)
        assert inside == ['a10', 'b500']
        await large.leave()

    visiting(scenario)


def test_who_goes_away_leaves_no_trace():
    async def scenario(turnstile, come, inside):
        first = await come('a', 100)
        gone = [await come('b', 10), await come('b', 20)]
        kept = await come('c', 30)
        gone[0].task.cancel()
        first._leave.set()
        # Cancelled at the moment when it is let in.
        gone[1].task.cancel()
        for each in gone:
            with suppress(asyncio.CancelledError):
                await each.task
        await first.task
        await asyncio.sleep(0)
        assert inside == ['a100', 'c30'] and turnstile.held == 30
        kept.task.cancel()
        with suppress(asyncio.CancelledError):
            await kept.task
        assert turnstile.held == 0 and len(turnstile) == 0

    visiting(scenario)


def test_memory_comes_back_after_an_error():
    async def run():
        turnstile = Turnstile(10, 1)
        for _ in range(3):
            with suppress(ValueError):
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(turnstile.enter('a', 10))
                    raise ValueError
        assert turnstile.held == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ('address', 'client'),
    [
        ('127.0.0.1', '127.0.0.1'),
        ('2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'),
        ('::ffff:10.0.0.1', '::ffff:10.0.0.1'),
        ('testclient', 'testclient'),
    ],
)
def test_a_network_of_one_owner_is_one_client(address, client):
    assert client_of(address) == client
