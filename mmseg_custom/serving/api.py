"""The HTTP API: photos in, their segmentation out."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mmseg_custom.apis.segmentation import Segmenter
from mmseg_custom.utils import UserError
from mmseg_custom.version import __version__

from .access import ApiKeys
from .answers import Allowed, Answer, Answers, Each, Health, OfMany, to_answer, to_png
from .body import SentPhoto
from .capacity import Capacity
from .descriptions import BATCH_ANSWERS, REQUEST_BODY, REQUEST_FORM, SEGMENT_ANSWERS
from .door import MAX_PHOTOS, Door
from .refusals import explain_refusals
from .requests import CountRequests
from .service import Service, while_there
from .upload import Limits

SEGMENT, BATCH, HEALTH, METRICS = '/segment', '/segment/batch', '/health', '/metrics'
LEAST_SIDE = 32


def create_app(
    segmenter: Segmenter,
    limits: Limits | None = None,
    capacity: Capacity | None = None,
    keys: Sequence[str] = (),
) -> FastAPI:
    """Make the application.

    Args:
        segmenter: The model.
        limits: Limits of an upload; None: the defaults.
        capacity: What all requests together may take; None: the defaults.
        keys: A request has to bring one of them; none: anyone may ask.
    """
    service = Service(segmenter, limits or Limits(), capacity or Capacity())
    app = new_app(service, (SEGMENT, BATCH))
    _add_segment(app, service, Door(service, ApiKeys(keys)))
    add_monitoring(app, service)
    return app


def new_app(service: Service, paths: Sequence[str]) -> FastAPI:
    """Return an application without pages that runs a service, counts and explains.

    Args:
        service: The model and what bounds it.
        paths: Its metrics tell these apart.
    """
    app = FastAPIOffline(
        title='trash-seg',
        version=__version__,
        lifespan=service.running,
        # Redoc's page asks other sites for pictures.
        redoc_url=None,
    )
    known = frozenset((*paths, HEALTH, METRICS))
    app.add_middleware(CountRequests, metrics=service.metrics, paths=known)
    explain_refusals(app)
    return app


def _add_segment(app: FastAPI, service: Service, door: Door) -> None:
    classes, most = service.segmenter.classes, service.limits.max_side
    side = Annotated[
        int | None, Query(ge=LEAST_SIDE, le=most, description='shrink the photo for the model')
    ]
    options: dict[str, Any] = dict(dependencies=door.dependencies)

    async def answer(photo: SentPhoto, each: Each, max_side: int | None) -> Answer:
        seen = await service.see(photo, max_side)
        return await to_thread.run_sync(to_answer, seen, classes, each, limiter=service.coding)

    async def picture(photo: SentPhoto, max_side: int | None) -> Response:
        seen = await service.see(photo, max_side)
        png = await to_thread.run_sync(to_png, seen, classes, limiter=service.coding)
        return Response(png, media_type='image/png')

    async def entry(photo: SentPhoto, each: Each, max_side: int | None) -> OfMany:
        try:
            return OfMany(name=photo.name, answer=await answer(photo, each, max_side))
        except UserError as error:
            return OfMany(name=photo.name, problem=str(error))

    @app.post(SEGMENT, openapi_extra=REQUEST_BODY, **options | SEGMENT_ANSWERS)
    async def segment(
        request: Request,
        format: Literal['json', 'png'] = 'json',
        each: Each = 'class',
        max_side: side = None,  # type: ignore[valid-type]
    ) -> Any:
        """Segment one photo: the body of the request, or the file of a form.

        `json`: each class, or each object, as run lengths of COCO, with its confidence. `png`: a
        palette image whose values are the labels, the places in the class list of `/health`. Both
        have the size of the photo.
        """
        async with door.photos(request) as (photo,):
            job = picture(photo, max_side) if format == 'png' else answer(photo, each, max_side)
            return await while_there(request, job)

    @app.post(BATCH, openapi_extra=REQUEST_FORM, **options | BATCH_ANSWERS)
    async def segment_several(
        request: Request,
        each: Each = 'class',
        max_side: side = None,  # type: ignore[valid-type]
    ) -> Answers:
        """Segment several photos, the files of a form.

        A photo that is refused has a `problem`, and the others their answers.
        """
        async with door.photos(request, MAX_PHOTOS) as photos:
            jobs = asyncio.gather(*(entry(photo, each, max_side) for photo in photos))
            return Answers(photos=await while_there(request, jobs))


def add_monitoring(app: FastAPI, service: Service) -> None:
    """Add ``/health`` and ``/metrics``."""
    limits, capacity, million = service.limits, service.capacity, 1e6
    allowed = Allowed(
        max_megabytes=limits.max_bytes / million,
        max_megapixels=limits.max_pixels / million,
        max_side=limits.max_side,
        max_batch=capacity.max_batch,
        max_photos=MAX_PHOTOS,
        max_memory_megabytes=capacity.max_memory / million,
        max_waiting=capacity.max_waiting,
        decode_seconds=capacity.decode_seconds,
        upload_seconds=capacity.upload_seconds,
        photos_per_minute=capacity.per_minute,
    )
    names = list(service.segmenter.classes.names)

    @app.get(HEALTH)
    async def health() -> Health:
        """Report that the server is ready, its model's classes, and its limits."""
        waiting = len(service.turnstile)
        return Health(status='ok', classes=names, waiting=waiting, limits=allowed)

    @app.get(METRICS, response_class=Response, responses={200: dict(content={'text/plain': {}})})
    async def prometheus() -> Response:
        """Numbers for Prometheus."""
        numbers = generate_latest(service.metrics.registry)
        return Response(numbers, media_type=CONTENT_TYPE_LATEST)
