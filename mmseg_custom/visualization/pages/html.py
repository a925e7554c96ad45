"""Web pages that are one file: styles, pictures and their own script inside, no network."""

import hashlib
import io
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mmseg_custom.classes import ClassList

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

JPEG_QUALITY = 82


def render_page(template: str, scripts: Sequence[str] = (), **context) -> str:
    """Fill in a template of the folder ``templates``; every value is escaped unless it is Markup.

    Args:
        template: File name.
        scripts: File names of what the page runs, and nothing else: the page's policy names their
            checksum, so that a script in a value does not run even if it is Markup.
        **context: The template's variables; one that is missing is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader('mmseg_custom', 'visualization/pages/templates'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= dict(count=_count, percent=_percent, short=short)
    script = ''.join(environment.get_template(name).render() for name in scripts)
    context |= dict(script=script, script_sha256=_sha256(script))
    return environment.get_template(template).render(context)


def css_colors(classes: ClassList) -> dict[str, str]:
    """Return the color of each class, by its name, as CSS has it."""
    return {
        name: f'rgb({red}, {green}, {blue})'
        for name, (red, green, blue) in zip(classes.names, classes.colors, strict=True)
    }


def _sha256(text: str) -> str:
    """Return the checksum as a Content-Security-Policy states it."""
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _count(value: int) -> str:
    """Group the digits of a whole number: 12 345."""
    return f'{value:,}'.replace(',', '\N{NO-BREAK SPACE}')


def _percent(share: float) -> str:
    """Return a share of 0..1 as percent with three digits."""
    return f'{short(100 * share)}\N{NO-BREAK SPACE}%'


def short(value: float) -> str:
    """Return a number with three digits, or all digits before the point, never with an exponent."""
    digits = 3 if not value else 2 - int(np.floor(np.log10(abs(value))))
    text = f'{value:.{min(max(digits, 0), 9)}f}'
    return text.rstrip('0').rstrip('.') if '.' in text else text


def picture_uri(picture: np.ndarray, suffix: str = '.jpg', quality: int = JPEG_QUALITY) -> str:
    """Return a picture as a data URI.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        suffix: ``.jpg``, or ``.png`` for drawings.
        quality: Of a JPEG, 0 to 100.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == '.jpg' else []
    _, encoded = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    kind = {'.jpg': 'jpeg', '.png': 'png'}[suffix]
    return f'data:image/{kind};base64,{b64encode(encoded.tobytes()).decode("ascii")}'


def figure_svg(figure: 'Figure') -> 'Markup':
    """Return a Matplotlib figure as an ``<svg>`` element, the same bytes each time.

    Its texts are texts in the fonts of the page.
    """
    from markupsafe import Markup
    from matplotlib import rc_context

    drawn = io.StringIO()
    with rc_context({'svg.fonttype': 'none', 'svg.hashsalt': 'mmseg_custom'}):
        figure.savefig(drawn, format='svg', metadata=dict(Date=None))
    # Before the element are an XML declaration and a document type, which no page may hold inside.
    text = drawn.getvalue()
    return Markup(text[text.index('<svg') :])
