"""Who may see the live picture, and what is on the page."""

import asyncio
import io
import time
from base64 import b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import numpy as np
import pytest
from browser import chromium  # noqa: F401
from PIL import Image

pytest.importorskip('fastapi')

from starlette.testclient import TestClient  # noqa: E402

from mmseg_custom.classes import built_in  # noqa: E402
from mmseg_custom.live.guard import is_loopback  # noqa: E402
from mmseg_custom.live.page import MOST_VIEWERS, LivePicture, create_page, serving  # noqa: E402
from mmseg_custom.serving.server import listen  # noqa: E402

CLASSES = built_in()
KEY = 'a-long-enough-password'
PATHS = ('/', '/state', '/live.mjpg')


def client_of(live, keys=(), host='127.0.0.1'):
    return TestClient(create_page(live, CLASSES, 'A <belt>', keys), base_url=f'http://{host}')


def gray(level):
    return np.full((48, 64, 3), level, np.uint8)


@pytest.fixture
def live():
    live = LivePicture()
    live.show(lambda: gray(90), Counter(Metal=3), time.monotonic())
    # A stream that has ended is answered by a test's client, which waits for the end.
    live.close()
    return live


def login(password, user='anyone'):
    return {'Authorization': 'Basic ' + b64encode(f'{user}:{password}'.encode()).decode()}


@pytest.mark.parametrize('path', PATHS)
def test_with_keys_nothing_is_shown_without_one(live, path):
    client = client_of(live, [KEY])
    for headers in (
        {},
        login('wrong'),
        login(''),
        {'Authorization': 'Basic %%%'},
        {'X-API-Key': KEY},
    ):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers['WWW-Authenticate'].startswith('Basic')
    assert client.get(path, headers=login(KEY)).status_code == 200


@pytest.mark.parametrize('path', PATHS)
@pytest.mark.parametrize(
    ('host', 'status'),
    [
        ('localhost:8080', 200),
        ('127.0.0.1:8080', 200),
        ('192.168.1.7', 200),
        ('[::1]:8080', 200),
        ('evil.example', 400),
        ('127.0.0.1.evil.example', 400),
        ('localhost.evil.example:8080', 400),
    ],
)
def test_a_name_that_somebody_else_points_here_is_refused(live, path, host, status):
    assert client_of(live).get(path, headers=dict(Host=host)).status_code == status


@pytest.mark.parametrize('path', PATHS)
def test_other_sites_cannot_show_it_and_nobody_stores_it(live, path):
    headers = client_of(live).get(path).headers
    assert headers['Cross-Origin-Resource-Policy'] == 'same-origin'
    assert headers['X-Frame-Options'] == 'DENY'
    assert headers['Cache-Control'] == 'no-store'
    assert client_of(live).post(path).status_code == 405


def test_the_state_has_counts_and_the_age_of_the_newest_frame():
    live = LivePicture()
    client = client_of(live)
    assert client.get('/state').json() == dict(
        frames=0, latency_ms=None, counts={}, seconds_ago=None
    )
    live.show(lambda: gray(0), Counter(Paper=2), time.monotonic() - 60)
    state = client.get('/state').json()
    assert state['counts'] == {'Paper': 2}
    assert state['frames'] == 1
    assert 60 <= state['seconds_ago'] < 260


def test_a_viewer_gets_the_newest_picture_and_nothing_is_drawn_for_nobody():
    live, drawn = LivePicture(), []

    def show(level):
        def draw():
            drawn.append(level)
            return gray(level)

        live.show(draw, Counter(), time.monotonic())

    async def look():
        for level in (10, 60):
            show(level)
        async with aclosing(live.parts()) as first, aclosing(live.parts()) as second:
            parts = [await anext(first), await anext(second)]
            assert live.viewers == 2
            for level in (110, 160):
                show(level)
            return [*parts, await anext(first)]

    # Playwright's loop may be running in this thread.
    with ThreadPoolExecutor(1) as pool:
        parts = pool.submit(asyncio.run, look()).result()
    assert live.viewers == 0
    assert drawn == [60, 160]
    for part, level in zip(parts, (60, 60, 160), strict=True):
        head, _, jpeg = part.partition(b'\r\n\r\n')
        assert head.startswith(b'--frame\r\nContent-Type: image/jpeg')
        assert abs(np.asarray(Image.open(io.BytesIO(jpeg))).mean() - level) < 2


def test_more_than_a_few_viewers_are_refused(live):
    live.viewers = MOST_VIEWERS
    assert client_of(live).get('/live.mjpg').status_code == 503


@pytest.mark.parametrize(
    ('host', 'is_own'),
    [('127.0.0.1', True), ('127.8.8.8', True), ('::1', True), ('localhost', True)]
    + [(host, False) for host in ('0.0.0.0', '::', '192.168.1.7', 'belt.local', '')],
)
def test_which_addresses_only_this_machine_reaches(host, is_own):
    assert is_loopback(host) == is_own


@pytest.mark.slow
@pytest.mark.parametrize('width', [390, 1280])
def test_the_page_shows_picture_and_counts(chromium, width):  # noqa: F811
    live = LivePicture()
    app = create_page(live, CLASSES, 'A <belt>')
    page = chromium.new_page(viewport=dict(width=width, height=844))
    problems = []
    page.on('pageerror', lambda error: problems.append(str(error)))
    page.on('console', lambda said: problems.append(said.text) if said.type == 'error' else None)
    with listen('127.0.0.1', 0) as listener, serving(app, live, listener):
        live.show(lambda: gray(90), Counter({'Metal': 3, 'Plastic bag': 1}), time.monotonic())
        page.goto(f'http://127.0.0.1:{listener.getsockname()[1]}/', wait_until='commit')
        page.locator('[data-class=Metal] td', has_text='3').wait_for()
        # A browser shows a picture when the next one comes.
        for _ in range(100):
            live.show(lambda: gray(90), Counter(Metal=3), time.monotonic())
            page.wait_for_timeout(100)
            shot = np.asarray(Image.open(io.BytesIO(page.screenshot())))
            box = page.locator('#live').bounding_box()
            color = shot[int(box['y'] + box['height'] / 2), width // 2, :3]
            if abs(color.astype(int) - 90).max() < 4:
                break
        else:
            pytest.fail(f'the picture is {color}')
        assert page.inner_text('h1') == 'A <belt>'
        assert page.evaluate('document.documentElement.scrollWidth') <= width
        live.show(lambda: gray(90), Counter(Metal=3), time.monotonic() - 30)
        page.wait_for_selector('#status.lost')
        assert 'no frame for' in page.inner_text('#status')
        assert problems == []
        page.close()
