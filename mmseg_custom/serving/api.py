"""The HTTP API: a photo in, its segmentation out."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.utils.non_finite import NonFiniteOutput
from mmseg_custom.version import __version__

from .answers import Answer, Health, Problem, full_mask, to_json, to_png
from .batcher import Batcher, Busy
from .body import receive, require_photo_type
from .metrics import Metrics
from .upload import MEDIA_TYPES, Limits, Upload, UploadError, read_upload

# Beyond this an upload is kept on the disk until its turn has come.
BYTES_IN_MEMORY = 256 * 1024
# Large photos are decoded and encoded by so many threads at once, whoever else waits.
CODERS = 2
PATHS = ('/segment', '/health', '/metrics')
BINARY = dict(schema=dict(type='string', format='binary'))
REFUSALS = {
    408: 'The upload took too long',
    413: 'The photo has too many bytes or pixels',
    415: 'Not a JPEG, PNG or WebP photo',
    422: 'The photo is damaged, or there is no such format',
    500: 'The model returned numbers that are not finite',
    503: 'Too many photos wait; try again in a while',
}


def create_app(
    segmenter: TrashSegmenter,
    limits: Limits | None = None,
    max_batch: int = 8,
    max_waiting: int = 256,
) -> FastAPI:
    """Make the application.

    Args:
        segmenter: The model.
        limits: Of an upload; None: the defaults.
        max_batch: How many photos of one size at most share a pass of the model.
        max_waiting: How many photos at most wait for it; more are refused with 503.
    """
    metrics = Metrics(max_waiting)
    batcher = Batcher(
        # Of a segmentation only the mask is kept: probabilities are 44 times as large.
        lambda photos: [found.mask for found in segmenter.batch(photos)],
        max_batch,
        max_waiting,
        metrics.batch_size.observe,
    )
    metrics.waiting.set_function(batcher.__len__)
    app = FastAPI(title='trash-seg', version=__version__, lifespan=_running(batcher))
    _count_requests(app, metrics)
    _explain_refusals(app)
    _add_segment(app, segmenter, limits or Limits(), batcher)
    _add_monitoring(app, segmenter, metrics)
    return app


def _running(batcher: Batcher):
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(batcher.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return lifespan


def _count_requests(app: FastAPI, metrics: Metrics) -> None:
    @app.middleware('http')
    async def count(request: Request, call_next) -> Response:
        # Paths that anyone may think up are counted as one.
        path = request.url.path if request.url.path in PATHS else 'other'
        start = time.perf_counter()
        status = 500
        try:
            response = await call_next(request)
            status = response.status_code
        finally:
            metrics.requests.labels(path, status).inc()
            metrics.seconds.labels(path).observe(time.perf_counter() - start)
        return response


def _explain_refusals(app: FastAPI) -> None:
    def refuse(status: int, detail: str, **headers: str) -> JSONResponse:
        return JSONResponse(Problem(detail=detail).model_dump(), status, headers)

    @app.exception_handler(UploadError)
    async def refuse_upload(_: Request, error: UploadError) -> JSONResponse:
        return refuse(error.status, str(error))

    @app.exception_handler(NonFiniteOutput)
    async def blame_model(_: Request, error: NonFiniteOutput) -> JSONResponse:
        return refuse(500, str(error))

    @app.exception_handler(Busy)
    async def ask_to_wait(_: Request, error: Busy) -> JSONResponse:
        return refuse(503, REFUSALS[503], **{'Retry-After': '1'})

    @app.exception_handler(RequestValidationError)
    async def explain(_: Request, error: RequestValidationError) -> JSONResponse:
        return refuse(422, '; '.join(f'{e["loc"][-1]}: {e["msg"]}' for e in error.errors()))


def _add_segment(app: FastAPI, segmenter: TrashSegmenter, limits: Limits, batcher: Batcher) -> None:
    coders = anyio.CapacityLimiter(CODERS)

    def encode(mask, upload: Upload, form: str) -> Response:
        mask = full_mask(mask, upload)
        if form == 'png':
            return Response(to_png(mask, segmenter.classes), media_type='image/png')
        return Response(to_json(mask, segmenter.classes), media_type='application/json')

    @app.post(
        '/segment',
        response_class=Response,
        responses={
            200: dict(model=Answer, content={'image/png': BINARY}),
            **{status: dict(model=Problem, description=why) for status, why in REFUSALS.items()},
        },
        openapi_extra=dict(
            requestBody=dict(required=True, content=dict.fromkeys(MEDIA_TYPES.values(), BINARY))
        ),
    )
    async def segment(request: Request, format: Literal['json', 'png'] = 'json') -> Response:
        """Segment one photo, sent as the body of the request.

        `json`: each class as run lengths of COCO. `png`: a palette image whose values are the
        labels, the places in the class list of `/health`. Both have the size of the photo.
        """
        require_photo_type(request)
        with tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY) as file:
            await receive(request, file, limits.max_bytes)
            upload = await anyio.to_thread.run_sync(read_upload, file, limits, limiter=coders)
        mask = await batcher(upload.photo)
        return await anyio.to_thread.run_sync(encode, mask, upload, format, limiter=coders)


def _add_monitoring(app: FastAPI, segmenter: TrashSegmenter, metrics: Metrics) -> None:
    @app.get('/health')
    async def health() -> Health:
        """Report that the server is ready, and its model's classes."""
        return Health(status='ok', classes=list(segmenter.classes.names))

    @app.get('/metrics', response_class=Response, responses={200: dict(content={'text/plain': {}})})
    async def prometheus() -> Response:
        """Numbers for Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
