"""Web pages that are one file: styles and pictures inside, no script, no network."""

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

JPEG_QUALITY = 82


def render_page(template: str, **context) -> str:
    """Fill in a template of the folder ``templates``; every value is escaped unless it is Markup.

    Args:
        template: File name.
        **context: The template's variables; one that is missing is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader('mmseg_custom', 'visualization/templates'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= dict(count=_count, percent=_percent, short=short)
    return environment.get_template(template).render(context)


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


def picture_uri(picture: np.ndarray, suffix: str = '.jpg') -> str:
    """Return a picture as a data URI.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        suffix: ``.jpg``, or ``.png`` for drawings.
    """
    from base64 import b64encode

    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix == '.jpg' else []
    _, encoded = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    kind = {'.jpg': 'jpeg', '.png': 'png'}[suffix]
    return f'data:image/{kind};base64,{b64encode(encoded).decode("ascii")}'


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
