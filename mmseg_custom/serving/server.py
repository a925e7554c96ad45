"""Run an application on a port until a signal ends it."""

import asyncio
import errno
import logging
import os
import signal
import socket
import threading
from typing import Any

import uvicorn

from mmseg_custom.utils import UserError

from .protocol import MAX_CONNECTIONS, TimedProtocol

# Containers are killed ten seconds after SIGTERM: running requests get half of it.
GRACEFUL_SECONDS, LAST_SECONDS = 4, 8
OTHER_FILES = 200


class Server(uvicorn.Server):
    """uvicorn's server that ends in time, whatever its clients and threads do."""

    last_resort: threading.Timer | None = None

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to end; a second Ctrl-C does not wait for running requests."""
        if self.last_resort is None:
            # A thread inside a model cannot be cancelled.
            self.last_resort = threading.Timer(LAST_SECONDS, os._exit, [128 + sig])
            self.last_resort.daemon = True
            self.last_resort.start()
        super().handle_exit(sig, frame)


def serve(app: Any, listener: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Both are handled also where a parent ignores them, as ``nohup`` and shells' background jobs do.

    Args:
        app: An ASGI application.
        listener: As :func:`listen` returns it.
    """
    logging.getLogger('uvicorn.error').addFilter(_is_failure)
    _log_requests()
    server = new_server(app)
    # uvicorn raises a signal again when it has ended; this is where it arrives then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    host, port = listener.getsockname()[:2]
    print(f'on http://{f"[{host}]" if ":" in host else host}:{port} until Ctrl-C', flush=True)
    try:
        server.run(sockets=[listener])
    finally:
        if server.last_resort:
            server.last_resort.cancel()


def new_server(app: Any) -> Server:
    """Return a server that is not running yet.

    Args:
        app: An ASGI application.
    """
    _allow_connections()
    return Server(
        uvicorn.Config(
            app,
            http=TimedProtocol,
            ws='none',
            access_log=False,
            log_level='error',
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address.

    Args:
        host: A name or an address of this machine.
        port: 0: any free one.

    Raises:
        UserError: It is not possible; says why.
    """
    try:
        family, type_, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, type_, protocol)
    except (OSError, UnicodeError) as error:
        raise UserError(
            f'{host}:{port}: there is no such address ({error})', kind='unknown-host'
        ) from None
    try:
        if os.name == 'posix':
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(MAX_CONNECTIONS)
    except OSError as error:
        listener.close()
        message = f'{host}:{port}: cannot serve there ({error})'
        if error.errno == errno.EADDRNOTAVAIL:
            raise UserError(message, kind='unknown-host') from None
        raise UserError(message, kind='taken-port') from None
    return listener


def _allow_connections() -> None:
    """Raise the limit of open files to what the connections need, as far as it may be raised."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _log_requests() -> None:
    """Write the log to standard error: JSON lines of requests, texts of anything else."""
    handler = logging.StreamHandler()
    log = logging.getLogger('trash_seg')
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _is_failure(record: logging.LogRecord) -> bool:
    """Drop uvicorn's traceback of requests that were cancelled because the server ends."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError)
