"""Connections that cannot be held for nothing."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

# The first byte and the complete header of a request have to arrive by then.
HEADER_SECONDS = 10
# A client that does not read its answer is disconnected after so long.
READ_SECONDS = 60
# Beyond it, the connection that has been idle longest is closed for a new one.
MAX_CONNECTIONS = 1000


class TimedProtocol(H11Protocol):
    """uvicorn's protocol with time limits for a client, and a limit of idle connections.

    uvicorn's own ``timeout_keep_alive`` begins with an answer: a connection that sends nothing, or
    a byte of its header now and then, is never closed. Its ``limit_concurrency`` counts such
    connections and refuses everybody else.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.idle_since = self.loop.time()
        self._header: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection; close the oldest idle one when there are too many."""
        super().connection_made(transport)
        self._expect_header()
        if len(self.connections) > MAX_CONNECTIONS:
            idle = [one for one in self.connections if getattr(one, 'is_idle', False)]
            # This one is idle: it gives way when all others are being answered.
            min(idle, key=lambda one: one.idle_since).transport.abort()  # type: ignore[union-attr]

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        _stop(self._header)
        _stop(self._reading)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a header do not extend its time limit."""
        super().data_received(data)
        if not self.is_idle:
            _stop(self._header)
            self._header = None
        elif self._header is None:
            self._expect_header()

    def on_response_complete(self) -> None:
        """Give the client limited time to read the answer."""
        self.idle_since = self.loop.time()
        self._expect_reader()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read; not forever."""
        super().pause_writing()
        self._expect_reader()

    def resume_writing(self) -> None:
        """Write again: the client has read."""
        _stop(self._reading)
        super().resume_writing()

    def _expect_header(self) -> None:
        self._header = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _expect_reader(self) -> None:
        _stop(self._reading)
        self._reading = self.loop.call_later(READ_SECONDS, self._abort_if_unread)

    def _abort_if_unread(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
