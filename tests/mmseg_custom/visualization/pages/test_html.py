import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmseg_custom.visualization.fold_shares import fold_shares_figure
from mmseg_custom.visualization.pages.html import figure_svg, picture_uri, render_page, short


def decoded(uri):
    head, data = uri.split(',')
    assert head.endswith(';base64')
    image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
    assert head == f'data:image/{image.format.lower()};base64'
    return np.array(image)


def test_pictures_are_whole_inside_of_the_uri():
    # Smooth, since JPEG is made for photos; red, green and blue differ.
    ramp = np.linspace(0, 255, 40).astype(np.uint8)
    picture = np.stack([np.tile(ramp, (30, 1)), np.full((30, 40), 90, np.uint8)], axis=-1)
    picture = np.dstack([picture, 255 - picture[..., 0]])
    np.testing.assert_array_equal(decoded(picture_uri(picture, '.png')), picture)
    jpeg = decoded(picture_uri(picture)).astype(int)
    assert np.abs(jpeg - picture).mean() < 4


def figure(names):
    shares = np.array([[0.5, 0.5], [0.2, 0.8]])
    return fold_shares_figure([('<title>', shares, shares[0])] * 2, ['a & b', 'c'], names)


def test_a_figure_is_one_element_with_its_texts():
    svg = figure_svg(figure(['<script>', 'no $formula$ or \\frac{']))
    root = ElementTree.fromstring(str(svg))
    assert root.tag == '{http://www.w3.org/2000/svg}svg'
    texts = [''.join(e.itertext()).strip() for e in root.iter('{http://www.w3.org/2000/svg}text')]
    assert {'<script>', 'no $formula$ or \\frac{', '<title>', 'a & b', 'complete set'} <= set(texts)
    assert not list(root.iter('{http://www.w3.org/2000/svg}script'))


def test_the_same_figure_is_the_same_text():
    assert figure_svg(figure(['a', 'b'])) == figure_svg(figure(['a', 'b']))


def test_a_missing_value_is_an_error():
    with pytest.raises(Exception, match='statistics'):
        render_page('statistics.html.j2')


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (0, '0'),
        (1, '1'),
        (100, '100'),
        (12.345, '12.3'),
        (0.000123456, '0.000123'),
        (98765.4, '98765'),
        (-0.5, '-0.5'),
        (9.999, '10'),
        (1e-30, '0'),
    ],
)
def test_short_numbers_by_hand(value, text):
    assert short(value) == text


@given(st.floats(1e-6, 1e9))
def test_short_numbers_have_three_digits(value):
    assert 'e' not in short(value)
    assert float(short(value)) == pytest.approx(value, rel=0.005)
