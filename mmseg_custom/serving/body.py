"""The body of a request that brings a photo: its type, and its bytes up to a limit."""

from tempfile import SpooledTemporaryFile
from typing import BinaryIO

import anyio
from fastapi import Request

from .upload import MEDIA_TYPES, UploadError

UPLOAD_SECONDS = 60


def require_photo_type(request: Request) -> None:
    """Refuse a body that does not claim to be a photo, before it is received.

    Raises:
        UploadError: 415.
    """
    kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
    if kind not in MEDIA_TYPES.values():
        raise UploadError(
            f'the Content-Type is {kind or "missing"}; send the bytes of a photo as one of '
            f'{", ".join(MEDIA_TYPES.values())}: '
            "curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg'",
            415,
        )


async def receive(
    request: Request, file: BinaryIO | SpooledTemporaryFile[bytes], max_bytes: int
) -> None:
    """Write the body of a request into a file and go to its beginning.

    Args:
        request: Is read no further than to the limit.
        file: Open for reading and writing.
        max_bytes: The limit.

    Raises:
        UploadError: The body is longer (413), or does not arrive in time (408).
    """
    received = 0
    try:
        with anyio.fail_after(UPLOAD_SECONDS):
            async for part in request.stream():
                received += len(part)
                if received > max_bytes:
                    most = f'{max_bytes / 1e6:g} MB'
                    raise UploadError(f'the photo has more than {most}; make it smaller', 413)
                file.write(part)
    except TimeoutError:
        raise UploadError(f'no whole photo after {UPLOAD_SECONDS} seconds', 408) from None
    file.seek(0)
