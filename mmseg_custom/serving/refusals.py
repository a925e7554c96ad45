"""Turn what goes wrong with a request into the JSON that the API describes."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from mmseg_custom.utils import UserError

from .answers import Problem
from .requests import GONE
from .turnstile import Busy
from .upload import UploadError

RETRY_SECONDS = '1'
REFUSALS = {
    401: 'The API key is missing or wrong',
    408: 'The upload took too long',
    413: 'The photo has too many bytes, pixels or scans, or takes too long to decode',
    415: 'Not a JPEG, PNG or WebP photo',
    422: 'The photo or the form is damaged, or there is no such option',
    429: 'Too many photos in a minute; Retry-After says when to try again',
    500: 'The model fails on the photo',
    503: 'Too many requests wait; try again in a while',
}


class Refused(Exception):
    """A request that is refused before its body is read.

    Args:
        status: One of :data:`REFUSALS`.
        **headers: Headers of the answer, with ``_`` for ``-``.
    """

    def __init__(self, status: int, **headers: str):
        super().__init__(REFUSALS[status])
        self.status = status
        self.headers = {name.replace('_', '-'): value for name, value in headers.items()}


def refuse(status: int, detail: str, **headers: str) -> JSONResponse:
    """Return a refusal."""
    return JSONResponse(Problem(detail=detail).model_dump(), status, headers)


def explain_refusals(app: FastAPI) -> None:
    """Let an application answer each exception with its status and a reason."""

    @app.exception_handler(UploadError)
    async def refuse_upload(_: Request, error: UploadError) -> Response:
        return refuse(error.status, str(error))

    @app.exception_handler(UserError)
    async def blame_model(_: Request, error: UserError) -> Response:
        return refuse(500, str(error))

    @app.exception_handler(Busy)
    async def ask_to_wait(_: Request, error: Busy) -> Response:
        return refuse(503, REFUSALS[503], **{'Retry-After': RETRY_SECONDS})

    @app.exception_handler(Refused)
    async def refuse_request(_: Request, error: Refused) -> Response:
        return refuse(error.status, str(error), **error.headers)

    @app.exception_handler(RequestValidationError)
    async def explain(_: Request, error: RequestValidationError) -> Response:
        return refuse(422, '; '.join(f'{e["loc"][-1]}: {e["msg"]}' for e in error.errors()))

    @app.exception_handler(HTTPException)
    async def name_status(_: Request, error: HTTPException) -> Response:
        return refuse(error.status_code, error.detail, **(error.headers or {}))

    @app.exception_handler(ClientDisconnect)
    async def note_absence(_: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=GONE)

    @app.exception_handler(Exception)
    async def apologize(_: Request, error: Exception) -> Response:
        return refuse(500, 'the server has a bug; its log says where')
