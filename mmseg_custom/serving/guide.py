"""The sorting guide: a page for people, and what its script asks for."""

import io
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from PIL import Image
from pydantic import BaseModel, Field

from mmseg_custom.apis.segmentation import Segmenter
from mmseg_custom.classes import ClassList
from mmseg_custom.utils.likeliest import likeliest

from .api import add_monitoring, new_app
from .body import SentPhoto
from .capacity import Capacity
from .door import Door
from .guide_page import KOREAN, Example, page_of
from .rules import SortingRules
from .service import Seen, Service, while_there
from .upload import Limits

Refine = Callable[[np.ndarray, np.ndarray], np.ndarray]
LOOK, EXAMPLES, FONT = '/look', '/examples', '/korean.woff2'
# Gray levels of a probability of 1: each step of the slider, 1/20, is one of them exactly.
LEVELS = 200
NO_LABEL = 255


class Look(BaseModel):
    """What the model sees in a photo, as gray PNG files in base64."""

    labels: str = Field(description='the label of each pixel; 255: background')
    confidence: str = Field(description='its probability in 200ths')


def create_guide(
    segmenter: Segmenter,
    rules: Sequence[SortingRules],
    refine: Refine,
    limits: Limits | None = None,
    capacity: Capacity | None = None,
    examples: Sequence[Example] = (),
) -> FastAPI:
    """Make the application: a page for each set of rules, the first one under ``/``.

    Photos are kept in memory until they are answered, and nowhere else.

    Args:
        segmenter: The model.
        rules: At least one, of different languages.
        refine: Makes of photo and probabilities ``(C, H, W)`` float32 better ones.
        limits: Limits of an upload; None: the defaults.
        capacity: What all requests together may take; None: the defaults.
        examples: Photos that the page offers.
    """
    service = Service(segmenter, limits or Limits(), capacity or Capacity())
    app = new_app(service, (LOOK,))
    _add_pages(app, rules, segmenter.classes, examples)
    _add_look(app, service, refine)
    add_monitoring(app, service)
    return app


def _add_pages(
    app: FastAPI, rules: Sequence[SortingRules], classes: ClassList, examples: Sequence[Example]
) -> None:
    for number, one in enumerate(rules):
        page = HTMLResponse(page_of(one, rules, classes, len(examples)))

        async def show(_: Request, page: Response = page) -> Response:
            return page

        app.add_route('/' if not number else f'/{one.language}', show)

    @app.get(FONT, include_in_schema=False)
    async def font() -> Response:
        return FileResponse(KOREAN, media_type='font/woff2')

    @app.get(EXAMPLES + '/{number}', include_in_schema=False)
    async def example(number: int) -> Response:
        if not 0 <= number < len(examples):
            return Response(status_code=404)
        return Response(examples[number].content, media_type=examples[number].media_type)


def _add_look(app: FastAPI, service: Service, refine: Refine) -> None:
    door, one_at_a_time = Door(service), CapacityLimiter(1)

    def refined(seen: Seen) -> Seen:
        found = service.segmenter.batch([seen.upload.photo])[0]
        probabilities = refine(seen.upload.photo, found.probabilities)
        return seen._replace(mask=likeliest(probabilities), confidence=probabilities.max(axis=0))

    async def look_at(photo: SentPhoto, edges: bool) -> Look:
        seen = await service.see(photo)
        if edges:
            seen = await to_thread.run_sync(refined, seen, limiter=one_at_a_time)
        return await to_thread.run_sync(
            to_look, seen, service.segmenter.classes, limiter=service.coding
        )

    @app.post(LOOK, include_in_schema=False)
    async def look(request: Request, edges: bool = False) -> Any:
        async with door.photos(request) as (photo,):
            return await while_there(request, look_at(photo, edges))


def to_look(seen: Seen, classes: ClassList) -> Look:
    """Return labels and confidence as pictures.

    Args:
        seen: Mask ``(h, w)`` uint8, confidence ``(h, w)`` in 0..1.
        classes: Say which label is the background.
    """
    labels = np.where(seen.mask == classes.unlabeled, np.uint8(NO_LABEL), seen.mask)
    levels = np.floor(seen.confidence.astype(np.float32) * LEVELS).astype(np.uint8)
    return Look(labels=_png(labels), confidence=_png(levels))


def _png(gray: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(gray).save(file, 'PNG')
    return b64encode(file.getvalue()).decode('ascii')
