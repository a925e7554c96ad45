"""The page of the sorting guide in one language, and the photos that it offers."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from mmseg_custom.classes import ClassList
from mmseg_custom.toy.scene import draw_scene
from mmseg_custom.visualization import pages
from mmseg_custom.visualization.pages.html import css_colors, render_page

from .rules import SortingRules
from .upload import MEDIA_TYPES, Limits, read_upload

# For devices without a Korean font of their own.
KOREAN = Path(pages.__file__).with_name('fonts') / 'korean.woff2'
# A photo is decided by pixels that are at least as probable; the slider changes it.
CONFIDENCE, MOST, STEP = 0.5, 0.95, 0.05
# Below it, on average over its pixels, a thing is shown as one to ask about.
SURE = 0.75
DRAWN, SIDE, SEED = (0, 3, 7), 256, 20_261_126


class Example(NamedTuple):
    """A photo that the page offers.

    Attributes:
        content: The bytes of its file.
        media_type: Such as ``image/jpeg``.
    """

    content: bytes
    media_type: str


def page_of(
    rules: SortingRules, others: Sequence[SortingRules], classes: ClassList, examples: int
) -> str:
    """Return the page of one language.

    Args:
        rules: What to say.
        others: All languages, in the order of their pages.
        classes: The model's classes.
        examples: How many photos the page offers.
    """
    colors = css_colors(classes)
    things = {
        label: dict(
            name=rule.name,
            bin=rule.bin.name,
            how=rule.how,
            color=colors[classes.names[label]],
        )
        for label in classes.foreground
        for rule in [rules.classes[classes.names[label]]]
    }
    used = {rule.bin.name: rule.bin.color for rule in rules.classes.values()}
    bins = list(used.items())
    links = [(one, '/' if not place else f'/{one.language}') for place, one in enumerate(others)]
    data = dict(things=things, bins=bins, texts=dict(rules.texts), sure=SURE)
    return render_page(
        'guide.html.j2',
        scripts=['guide.js.j2'],
        rules=rules,
        texts=rules.texts,
        links=links if len(others) > 1 else [],
        data=data,
        examples=range(examples),
        accepted=','.join(MEDIA_TYPES.values()),
        slider=dict(value=CONFIDENCE, most=MOST, step=STEP),
    )


def draw_examples() -> list[Example]:
    """Draw photos of trash with :mod:`mmseg_custom.toy`."""
    drawn = []
    for number in DRAWN:
        # OpenCV's order of channels.
        picture, _ = draw_scene((SEED, number), number, SIDE)
        file = io.BytesIO()
        Image.fromarray(picture[:, :, ::-1]).save(file, 'JPEG', quality=90)
        drawn.append(Example(file.getvalue(), MEDIA_TYPES['JPEG']))
    return drawn


def read_examples(paths: Sequence[str], limits: Limits) -> list[Example]:
    """Read photos to offer, as they are.

    Raises:
        UserError: One is not accepted as an upload.
    """
    found = []
    for path in paths:
        content = Path(path).read_bytes()
        with io.BytesIO(content) as file:
            read_upload(file, limits)
            kind = Image.open(file).format
        found.append(Example(content, MEDIA_TYPES[str(kind)]))
    return found
