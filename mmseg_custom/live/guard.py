"""Who may look at the page of a camera."""

import base64
import binascii
import ipaddress
import socket
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mmseg_custom.serving.access import ApiKeys


class Guard:
    """Middleware: asks for a key as the password of HTTP Basic, and refuses strange host names.

    A page of another site whose name its owner points at this machine (DNS rebinding) has that
    site's name as its host; an address in numbers cannot be pointed anywhere.

    Args:
        app: What answers.
        keys: Passwords, of any user; none: anyone may look.
        host: A name of this machine that is allowed beside its own.
    """

    def __init__(self, app: ASGIApp, keys: Sequence[str] = (), host: str = 'localhost'):
        self._app, self._keys = app, ApiKeys(keys)
        name = socket.gethostname().lower()
        self._hosts = {'localhost', host.lower(), name, f'{name}.local'}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope['type'] != 'http':
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if not self._is_own(request.url.hostname or ''):
            refusal: Response = PlainTextResponse('not a name of this machine', 400)
        elif self._keys and not self._keys.accept(_password(request)):
            asking = {'WWW-Authenticate': 'Basic realm="belt", charset="UTF-8"'}
            refusal = PlainTextResponse('the password is missing or wrong', 401, asking)
        else:
            await self._app(scope, receive, send)
            return
        await refusal(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        return host.lower() in self._hosts or is_address(host)


def is_address(host: str) -> bool:
    """Return whether a host is an address in numbers."""
    try:
        ipaddress.ip_address(host.strip('[]'))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a host."""
    return host == 'localhost' or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def _password(request: Request) -> str:
    kind, _, coded = request.headers.get('authorization', '').partition(' ')
    if kind.lower() != 'basic':
        return ''
    try:
        return base64.b64decode(coded, validate=True).decode().partition(':')[2]
    except (binascii.Error, UnicodeDecodeError):
        return ''
