"""The body of a request that brings photos: as it is, or as a form."""

from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

import anyio
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from .capacity import Capacity
from .upload import MEDIA_TYPES, UploadError

FORM = 'multipart/form-data'
UNNAMED = 'the photo'
# What the boundaries and headers of a form take.
BYTES_AROUND = 64 * 1024
LONGEST_NAME = 100


class SentPhoto(NamedTuple):
    """A file as it was sent.

    Attributes:
        name: As the client calls it; only shown, never opened.
        content: Its bytes.
        client: Address of who sent it.
    """

    name: str
    content: bytes
    client: str = ''


class InMemory(MultiPartParser):
    """Starlette's parser, which does not write to the disk what strangers send."""

    def __init__(
        self, request: Request, stream: AsyncGenerator[bytes, None], most: int, files: int
    ):
        super().__init__(request.headers, stream, max_files=files, max_fields=0)
        self.spool_max_size = most + 1


def body_size(request: Request, max_bytes: int, forms_only: bool = False) -> int:
    """Return how many bytes a body has, or may have where the client does not say.

    Args:
        request: Nothing of its body is read.
        max_bytes: More are refused.
        forms_only: Whether a photo as it is is refused.

    Raises:
        UploadError: It does not claim to be a photo (415), or is too large (413).
    """
    kind = _kind(request)
    if kind != FORM and (forms_only or kind not in MEDIA_TYPES.values()):
        accepted = [FORM] if forms_only else [*MEDIA_TYPES.values(), FORM]
        raise UploadError(
            f'the Content-Type is {kind or "missing"}; send a photo as one of '
            f'{", ".join(accepted)}: '
            "curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg', or curl -F "
            'photo=@photo.jpg',
            415,
        )
    most = max_bytes + BYTES_AROUND * (kind == FORM)
    length = request.headers.get('content-length', '')
    size = int(length) if length.isdecimal() else most
    if size > most:
        raise too_large(max_bytes)
    return size


async def receive(
    request: Request, max_bytes: int, capacity: Capacity, files: int = 1, total: int = 0
) -> Sequence[SentPhoto]:
    """Read the photos of a request into memory.

    Args:
        request: Is read no further than to the limit.
        max_bytes: Limit of each photo.
        capacity: Has the time limits.
        files: How many photos a form may have.
        total: Limit of all of them; 0: that of one.

    Raises:
        UploadError: A photo is too large (413), does not arrive in time (408), or the form is not
            as it should be (422).
    """
    total = total or max_bytes
    is_form = _kind(request) == FORM
    stream = _limited(request, total, BYTES_AROUND * is_form, capacity)
    try:
        with anyio.fail_after(capacity.upload_seconds):
            if not is_form:
                content = b''.join([part async for part in stream])
                return [SentPhoto(UNNAMED, content, address_of(request))]
            parser = InMemory(request, stream, total + BYTES_AROUND, files)
            return await _form_photos(parser, address_of(request))
    except TimeoutError:
        seconds = f'{capacity.upload_seconds:g}'
        raise UploadError(f'no complete photo after {seconds} seconds', 408) from None


async def _form_photos(parser: InMemory, client: str) -> list[SentPhoto]:
    try:
        form = await parser.parse()
    except UploadError:
        raise
    except (MultiPartException, KeyError, ValueError) as error:
        reason = getattr(error, 'message', None) or 'it has no boundary'
        raise UploadError(f'the form cannot be read: {reason}', 422) from None
    sent = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
    if not sent:
        raise UploadError('the form has no photo; send it with curl -F photo=@photo.jpg', 422)
    return [
        SentPhoto((one.filename or UNNAMED)[:LONGEST_NAME], await one.read(), client)
        for one in sent
    ]


def address_of(request: Request) -> str:
    """Return the address of the client, or an empty text where it has none."""
    return request.client.host if request.client else ''


async def _limited(
    request: Request, most: int, around: int, capacity: Capacity
) -> AsyncGenerator[bytes, None]:
    received = 0
    stream = request.stream().__aiter__()
    while True:
        try:
            with anyio.fail_after(capacity.stall_seconds):
                part = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            seconds = f'{capacity.stall_seconds:g}'
            raise UploadError(f'nothing arrived for {seconds} seconds', 408) from None
        received += len(part)
        if received > most + around:
            raise too_large(most)
        yield part


def _kind(request: Request) -> str:
    return request.headers.get('content-type', '').partition(';')[0].strip().lower()


def too_large(most: int) -> UploadError:
    """Return the refusal of more than ``most`` bytes."""
    return UploadError(f'the photo has more than {most / 1e6:g} MB; make it smaller', 413)
