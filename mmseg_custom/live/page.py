"""A page with the live picture and the counts, for the few who look after a belt."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from mmseg_custom.classes import ClassList
from mmseg_custom.serving.server import new_server
from mmseg_custom.visualization.pages.html import css_colors, render_page

from .guard import Guard

STREAM, STATE, BOUNDARY = '/live.mjpg', '/state', 'frame'
MOST_VIEWERS, QUALITY, LOOK_SECONDS = 8, 80, 0.03
CLOSE_SECONDS = 5
HEADERS = {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
}


class LivePicture:
    """The newest picture and the counts, handed from the watching thread to the page's.

    Attributes:
        viewers: How many look at it.
    """

    def __init__(self) -> None:
        self.viewers, self._has_ended = 0, False
        self._newest: tuple[int, Callable[[], np.ndarray]] | None = None
        self._jpeg: tuple[int, bytes] = (0, b'')
        self._lock = threading.Lock()
        self._came: float | None = None
        self._state: dict = dict(frames=0, latency_ms=None, counts={})

    def show(self, draw: Callable[[], np.ndarray], counts: Counter, came: float) -> None:
        """Take over a frame; it is drawn only if somebody looks.

        Args:
            draw: Returns ``(H, W, 3)`` uint8 BGR.
            counts: What passed the line, by class name.
            came: When it came, in seconds of :func:`time.monotonic`.
        """
        self._came, frames = came, self._state['frames'] + 1
        latency = round(1000 * (time.monotonic() - came))
        self._state = dict(frames=frames, latency_ms=latency, counts=dict(counts))
        self._newest = frames, draw

    def state(self) -> dict:
        """Return counts, the number of frames, and how old the newest is."""
        ago = None if self._came is None else round(time.monotonic() - self._came, 1)
        return dict(self._state, seconds_ago=ago)

    def jpeg(self, after: int) -> tuple[int, bytes] | None:
        """Return number and bytes of the newest picture; None: there is none after that number."""
        newest = self._newest
        if newest is None or newest[0] <= after:
            return None
        with self._lock:
            if self._jpeg[0] < newest[0]:
                options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
                self._jpeg = newest[0], cv2.imencode('.jpg', newest[1](), options)[1].tobytes()
            return self._jpeg

    def close(self) -> None:
        """End all streams."""
        self._has_ended = True

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the parts of an MJPEG answer; one who reads slowly gets fewer pictures."""
        self.viewers += 1
        number = 0
        try:
            while not self._has_ended:
                found = await asyncio.to_thread(self.jpeg, number)
                if found is None:
                    await asyncio.sleep(LOOK_SECONDS)
                    continue
                number, jpeg = found
                head = f'--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}'
                yield head.encode() + b'\r\n\r\n' + jpeg + b'\r\n'
        finally:
            self.viewers -= 1


def create_page(
    live: LivePicture,
    classes: ClassList,
    title: str,
    keys: Sequence[str] = (),
    host: str = 'localhost',
) -> ASGIApp:
    """Make the application.

    Args:
        live: What is shown.
        classes: The model's classes.
        title: The page's heading.
        keys: See :class:`~mmseg_custom.live.guard.Guard`.
        host: See there.
    """
    colors = css_colors(classes)
    shown = [(classes.names[label], colors[classes.names[label]]) for label in classes.foreground]
    page = render_page(
        'live.html.j2', scripts=['live.js.j2'], title=title, colors=shown, stream=STREAM.strip('/')
    )

    async def show(_: Request) -> Response:
        return HTMLResponse(page, headers=HEADERS)

    async def stream(_: Request) -> Response:
        if live.viewers >= MOST_VIEWERS:
            return PlainTextResponse(f'{MOST_VIEWERS} look at it already', 503, HEADERS)
        kind = f'multipart/x-mixed-replace; boundary={BOUNDARY}'
        return StreamingResponse(live.parts(), media_type=kind, headers=HEADERS)

    async def state(_: Request) -> Response:
        return JSONResponse(live.state(), headers=HEADERS)

    routes = [Route('/', show), Route(STREAM, stream), Route(STATE, state)]
    return Guard(Starlette(routes=routes), keys, host)


@contextmanager
def serving(app: ASGIApp, live: LivePicture, listener: socket.socket) -> Iterator[None]:
    """Serve in a thread of its own.

    Args:
        app: The application.
        live: What it shows; closed at the end.
        listener: As :func:`mmseg_custom.serving.server.listen` returns it.
    """
    server = new_server(app)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield
    finally:
        live.close()
        server.should_exit = True
        thread.join(CLOSE_SECONDS)
