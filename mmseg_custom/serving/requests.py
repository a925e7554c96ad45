"""Every request is counted, and logged as one line of JSON."""

import json
import logging
import time
from datetime import datetime, timezone

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics

LOG = logging.getLogger('trash_seg.requests')
# nginx's number for a client that went away before its answer.
GONE, FAILED = 499, 500
LONGEST_PATH = 200


class CountRequests:
    """Middleware that counts requests and writes the log.

    Args:
        app: What answers.
        metrics: Where to count.
        paths: Those that are told apart; whatever else anyone may think up is counted as one.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]):
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), FAILED

        async def noting(message: Message) -> None:
            nonlocal status
            if message['type'] == 'http.response.start':
                status = message['status']
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._note(scope, status, time.perf_counter() - start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope['path'] if scope['path'] in self._paths else 'other'
        self._metrics.requests.labels(path, status).inc()
        self._metrics.seconds.labels(path).observe(seconds)
        client = scope.get('client')
        line = dict(
            time=datetime.now(timezone.utc).isoformat(timespec='milliseconds'),
            client=client[0] if client else None,
            method=scope['method'],
            path=scope['path'][:LONGEST_PATH],
            status=status,
            seconds=round(seconds, 4),
        )
        LOG.info(json.dumps(line))
