"""Let photos in: who may send them, how many, and when it is their turn."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from .access import ApiKeys, RateLimit
from .body import SentPhoto, address_of, body_size, receive
from .refusals import Refused
from .service import Service

KEY = APIKeyHeader(name='X-API-Key', auto_error=False)
# A form of several photos, and all their bytes, in photos of the largest size.
MAX_PHOTOS, MAX_TOTAL = 32, 4
# A body is collected in parts, which are then joined.
COPIES = 2


class Door:
    """Decides who may send photos, and receives them in turn.

    Args:
        service: Has the line and the limits.
        keys: Keys of which one has to be brought.
    """

    def __init__(self, service: Service, keys: ApiKeys | None = None):
        self._service, self._keys = service, keys or ApiKeys()
        self._rate = RateLimit(service.capacity.per_minute)

    @property
    def dependencies(self) -> list:
        """What routes depend on: the API key, if one is needed."""
        return [Depends(self._require_key)] if self._keys else []

    async def _require_key(self, key: Annotated[str | None, Security(KEY)]) -> None:
        if not self._keys.accept(key or ''):
            raise Refused(401, WWW_Authenticate=KEY.model.name)

    @asynccontextmanager
    async def photos(self, request: Request, files: int = 1) -> AsyncIterator[Sequence[SentPhoto]]:
        """Receive photos; while they are used, they count as memory that is held.

        Args:
            request: Brings a photo, or a form.
            files: How many photos a form may have; more than one: the request is a form.
        """
        limits, capacity = self._service.limits, self._service.capacity
        total = limits.max_bytes * (1 if files == 1 else MAX_TOTAL)
        size = COPIES * body_size(request, total, forms_only=files > 1)
        client = address_of(request)
        self._count(client, 1)
        async with self._service.turnstile.enter(client, size + self._service.decoded_bytes):
            sent = await receive(request, limits.max_bytes, capacity, files, total)
            self._count(client, len(sent) - 1)
            yield sent

    def _count(self, client: str, photos: int) -> None:
        wait = self._rate.take(client, photos)
        if wait:
            raise Refused(429, Retry_After=str(int(wait) + 1))
