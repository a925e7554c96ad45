"""Who may ask: API keys, and a number of photos a minute."""

import hashlib
import hmac
import os
import time
from collections import OrderedDict
from collections.abc import Sequence

from mmseg_custom.utils import UserError

from .turnstile import client_of

MINUTE = 60
# Clients that are remembered; beyond it, those that were away longest are forgotten.
MOST_CLIENTS = 10_000
LEAST_KEY = 16


class ApiKeys:
    """Keys of which a request has to bring one.

    Args:
        keys: The keys; none: anyone may ask.
    """

    def __init__(self, keys: Sequence[str] = ()):
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def __bool__(self) -> bool:
        """Return whether a key is needed."""
        return bool(self._digests)

    def accept(self, key: str) -> bool:
        """Return whether a key is one of them, in a time that says nothing about them."""
        digest = hashlib.sha256(key.encode(errors='replace')).digest()
        # All are compared, whichever fits.
        return sum(hmac.compare_digest(digest, one) for one in self._digests) > 0


def read_keys(path: str | os.PathLike) -> list[str]:
    """Read a file of keys, one per line; empty lines and those that begin with # do not count.

    Raises:
        UserError: It has none, or one that is too short to be safe.
    """
    try:
        with open(path, encoding='utf-8') as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path}: cannot be read ({error})') from None
    keys = [line for line in lines if line and not line.startswith('#')]
    if not keys:
        raise UserError(f'{path}: has no key; write one per line')
    if min(map(len, keys)) < LEAST_KEY:
        raise UserError(f'{path}: has a key of less than {LEAST_KEY} characters, which is unsafe')
    return keys


class RateLimit:
    """Lets each client send a number of photos a minute, and that number at once.

    A token bucket for each client.

    Args:
        per_minute: How many; None: any number.
    """

    def __init__(self, per_minute: int | None = None):
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, photos: int = 1, now: float | None = None) -> float:
        """Count photos of a client.

        Args:
            address: Address of the client.
            photos: How many it sends.
            now: Seconds of a clock that never goes back; None: :func:`time.monotonic`.

        Returns:
            float: 0 if they are allowed, or else in how many seconds they are.
        """
        if self._per_minute is None:
            return 0.0
        now = time.monotonic() if now is None else now
        client, most = client_of(address), float(self._per_minute)
        left, before = self._buckets.pop(client, (most, now))
        left = min(most, left + (now - before) * most / MINUTE)
        # More photos than fit into a minute are allowed when nothing else was sent.
        missing = min(photos, most) - left
        self._buckets[client] = (left - photos if missing <= 0 else left, now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return max(0.0, missing * MINUTE / most)
