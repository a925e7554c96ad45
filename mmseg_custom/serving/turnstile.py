"""A line of requests: bounded by memory, and fair between clients."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address

# One client holds at most this fraction of the memory, so that another one is let in at once.
LARGEST_PART = 0.5
# An IPv6 client has a network of 64 bits for itself.
NETWORK_BITS = 64


class Busy(Exception):
    """The line is full."""


class Turnstile:
    """Lets requests in while their memory fits; the others wait in line, unread.

    The next one is the first of the client that holds the least memory, so a client that sends
    hundreds of photos does not keep another from its first. When the line is full, the longest
    line gets shorter: the last request of the client that has most of them is refused.

    Args:
        capacity: Bytes that all requests inside may take together.
        max_waiting: Requests in line, at most.
    """

    def __init__(self, capacity: int, max_waiting: int):
        self._capacity, self._max_waiting = capacity, max_waiting
        self._held: Counter[str] = Counter()
        self._lines: OrderedDict[str, deque[tuple[int, asyncio.Future]]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many requests wait in line."""
        return sum(map(len, self._lines.values()))

    @property
    def held(self) -> int:
        """Bytes that the requests inside may take."""
        return self._held.total()

    @asynccontextmanager
    async def enter(self, client: str, size: int) -> AsyncIterator[None]:
        """Wait for the turn of a request, and let it in for the duration of the block.

        Args:
            client: Its address.
            size: Bytes that it may take.

        Raises:
            Busy: The line is full.
        """
        client = client_of(client)
        await self._wait(client, size)
        try:
            yield
        finally:
            self._give_back(client, size)

    def _give_back(self, client: str, size: int) -> None:
        self._held[client] -= size
        if not self._held[client]:
            del self._held[client]
        self._let_in()

    async def _wait(self, client: str, size: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._lines.setdefault(client, deque()).append((size, turn))
        self._let_in()
        if len(self) > self._max_waiting:
            self._refuse_one()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(client, size)
            else:
                self._forget(client, size, turn)
            raise

    def _let_in(self) -> None:
        while (client := self._next_client()) is not None:
            size, turn = self._lines[client].popleft()
            self._drop_if_empty(client)
            if not turn.done():
                self._held[client] += size
                turn.set_result(None)

    def _next_client(self) -> str | None:
        """Return the client that holds least and may hold more, if memory is free for it."""
        # Sorting keeps the order of arrival among equals.
        for client in sorted(self._lines, key=lambda one: self._held[one]):
            size, own = self._lines[client][0][0], self._held[client]
            if own and own + size > LARGEST_PART * self._capacity:
                continue
            # What is larger than everything gets in alone.
            fits = not self.held or self.held + size <= self._capacity
            return client if fits else None
        return None

    def _refuse_one(self) -> None:
        longest = max(self._lines, key=lambda one: len(self._lines[one]))
        _, turn = self._lines[longest].pop()
        self._drop_if_empty(longest)
        turn.set_exception(Busy())

    def _forget(self, client: str, size: int, turn: asyncio.Future) -> None:
        if (size, turn) in self._lines.get(client, ()):
            self._lines[client].remove((size, turn))
            self._drop_if_empty(client)

    def _drop_if_empty(self, client: str) -> None:
        if not self._lines[client]:
            del self._lines[client]


def client_of(address: str) -> str:
    """Return what stands for one client: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> NETWORK_BITS << NETWORK_BITS))
    return address
