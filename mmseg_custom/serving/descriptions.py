"""What OpenAPI says about requests and answers: forms, examples, refusals."""

from typing import Any

from .answers import Answer, Problem
from .body import FORM
from .refusals import REFUSALS
from .upload import MEDIA_TYPES

BINARY: dict[str, Any] = dict(type='string', format='binary')
# 3 pixels of a carton at the left of a photo of 4 x 6, as pycocotools encodes them.
ANSWER = dict(
    height=4,
    width=6,
    found=[
        dict(
            category_id=2,
            category='carton',
            confidence=0.91,
            area=3,
            area_share=0.125,
            bbox=[0, 0, 1, 3],
            segmentation=dict(size=[4, 6], counts='03e0'),
        )
    ],
    left_out=0,
)
REFUSED = 'the photo is truncated or no image (accepted: JPEG, PNG, WEBP)'
ANSWERS = dict(
    photos=[
        dict(name='kitchen.jpg', answer=ANSWER, problem=None),
        dict(name='notes.txt', answer=None, problem=REFUSED),
    ]
)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        'model': Problem,
        'description': why,
        'content': {'application/json': {'example': {'detail': why}}},
    }
    for status, why in REFUSALS.items()
}


def _form(schema: dict[str, Any], name: str) -> dict[str, Any]:
    properties = {name: schema}
    return dict(schema=dict(type='object', properties=properties, required=[name]))


REQUEST_BODY = dict(
    requestBody=dict(
        required=True,
        content={
            **{kind: dict(schema=BINARY) for kind in MEDIA_TYPES.values()},
            FORM: _form(BINARY, 'photo'),
        },
    )
)
REQUEST_FORM = dict(
    requestBody=dict(
        required=True,
        content={FORM: _form(dict(type='array', items=BINARY, minItems=1), 'photos')},
    )
)
SEGMENT_ANSWERS: dict[str, Any] = dict(
    responses={
        **PROBLEMS,
        200: {
            'model': Answer,
            'content': {
                'image/png': dict(schema=BINARY),
                'application/json': dict(example=ANSWER),
            },
        },
    }
)
BATCH_ANSWERS: dict[str, Any] = dict(
    responses={**PROBLEMS, 200: {'content': {'application/json': dict(example=ANSWERS)}}}
)
