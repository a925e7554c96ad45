"""Opening a page in a browser without network; tests import it as `from browser import ...`."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM_NAMES = ('chromium', 'chromium-browser', 'google-chrome')
ARGUMENTS = [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    # A camera that shows a drawing.
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
]


@pytest.fixture(scope='module')
def chromium():
    """A headless Chromium; a test that needs it is skipped where there is none."""
    playwright = pytest.importorskip('playwright.sync_api')
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        pytest.skip(f'no browser: none of {", ".join(CHROMIUM_NAMES)} is installed')
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


def require_usable_on_a_phone(page, pictures: str = 'main img[tabindex]') -> None:
    """Assert that a page of 390 pixels does not scroll sideways, and that a picture can fill it."""
    assert page.evaluate('document.documentElement.scrollWidth') <= 390
    picture = page.locator(pictures).first
    small = picture.bounding_box()
    picture.focus()
    large = picture.bounding_box()
    assert small['width'] < 390 == large['width']
    assert large['height'] == page.viewport_size['height']
    picture.blur()


@contextmanager
def opened(chromium, path: Path, width: int = 1200):
    """Open a file; everything else it asks for is refused, and fails the test, as do errors."""
    page = chromium.new_page(viewport=dict(width=width, height=900))
    asked, complaints = [], []
    url = path.resolve().as_uri()
    page.on('request', lambda request: asked.append(request.url))
    page.on('console', lambda message: complaints.append(message.text))
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.route(
        '**/*', lambda route: route.continue_() if route.request.url == url else route.abort()
    )
    try:
        page.goto(url)
        yield page
    finally:
        page.close()
    assert [address for address in asked if not address.startswith('data:')] == [url]
    assert complaints == []
