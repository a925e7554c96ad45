import io
import os
import signal
from base64 import b64decode
from contextlib import contextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest
import yaml
from browser import chromium  # noqa: F401
from conftest import ROOT, call_tool
from PIL import Image
from serving import free_port, served

pytest.importorskip('fastapi')
pytest.importorskip('uvicorn')

from mmseg_custom.apis import TrashSegmenter  # noqa: E402
from mmseg_custom.classes import built_in  # noqa: E402

CLASSES = built_in().names
COLORS = built_in().colors

TOOL = 'apps/sorting_guide.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
RULES = {name: ROOT / 'apps' / 'rules' / f'{name}.yaml' for name in ('en', 'ko')}
TEXTS = {name: yaml.safe_load(path.read_text('utf-8'))['texts'] for name, path in RULES.items()}
SLOW = dict(timeout=60_000)
PHONE, DESK = (390, 844), (1280, 800)
SURE = 0.75


@pytest.fixture(scope='module')
def server(random_checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp('guide')
    arguments = [TOY, random_checkpoint, '--device', 'cpu']
    env = {'TMPDIR': str(tmp_path_factory.mktemp('tmp'))}
    with served(TOOL, *arguments, folder=folder, env=env) as (address, _):
        yield address, env['TMPDIR']


@pytest.fixture(scope='module')
def segmenter(random_checkpoint):
    return TrashSegmenter(TOY, random_checkpoint, 'cpu')


@pytest.fixture
def toy_photo(toy_set):
    return sorted((toy_set / 'batch_01').glob('*.jpg'))[0]


@pytest.fixture
def visit(chromium, server):  # noqa: F811
    # A script's error and anything asked of another host fail the test.
    @contextmanager
    def visited(path='', size=DESK, failing=False, **options):
        page = chromium.new_page(viewport=dict(width=size[0], height=size[1]), **options)
        errors, hosts = [], set()
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.on('console', lambda said: errors.append(said.text) if said.type == 'error' else None)
        page.on('request', lambda request: hosts.add(urlsplit(request.url).netloc))
        try:
            page.goto(f'{server[0]}/{path}')
            yield page
        finally:
            page.close()
        # A browser says itself that an answer was a refusal.
        assert [one for one in errors if not failing or 'status of 4' not in one] == []
        assert hosts - {''} == {urlsplit(server[0]).netloc}

    return visited


def show(page, photo):
    page.set_input_files('#file', photo)
    page.wait_for_selector('#answer:not([hidden])', **SLOW)


def cards(page):
    return page.eval_on_selector_all(
        '#list button.card',
        """items => items.map(item => [
            getComputedStyle(item.querySelector('.swatch')).backgroundColor,
            item.querySelector('.thing').textContent,
            item.querySelector('.bin').textContent,
            (item.querySelector('.how') || item.querySelector('.ask')).textContent])""",
    )


def expected_cards(result, confidence, language):
    rules = yaml.safe_load(RULES[language].read_text(encoding='utf-8'))
    sure = result.probabilities.max(0)
    visible = np.where(sure < np.float32(confidence), 255, result.mask)
    shares = {label: (visible == label).mean() for label in range(1, len(CLASSES))}
    for label in sorted(shares, key=lambda label: -shares[label]):
        rule, share = rules['classes'][CLASSES[label]], shares[label]
        if not share:
            continue
        percent = f'{100 * share:.0f}' if share >= 0.01 else '< 1'
        thing = f'{rule["name"]} {percent} % {rules["texts"]["of_the_photo"]}'
        bin_ = rules['bins'][rule['bin']]['name']
        # The page knows probabilities in steps of 1/200.
        if np.floor(200 * sure[visible == label]).mean() / 200 >= SURE:
            yield [f'rgb{COLORS[label]}', thing, bin_, rule['how']]
        else:
            yield [f'rgb{COLORS[label]}', thing, f'{bin_} ?', rules['texts']['ask']]


def plain(found):
    return [[part.replace('\N{NO-BREAK SPACE}', ' ') for part in item] for item in found]


def canvas(page):
    uri = page.eval_on_selector('#picture', "one => one.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(b64decode(uri.partition(',')[2]))).convert('RGB'))


@pytest.mark.parametrize(('language', 'path'), [('en', ''), ('ko', 'ko')])
@pytest.mark.parametrize('size', [PHONE, DESK])
def test_what_is_in_a_photo_is_listed_above_the_fold(
    visit, segmenter, toy_photo, language, path, size
):
    wanted = list(expected_cards(segmenter(toy_photo), 0.5, language))
    assert len(wanted) > 1
    with visit(path, size) as page:
        assert page.title() == page.inner_text('h1') == TEXTS[language]['title']
        assert page.get_attribute('html', 'lang') == language
        show(page, toy_photo)
        assert sorted(plain(cards(page))) == sorted(wanted)
        box = page.locator('#list .card').first.bounding_box()
        assert box['y'] + box['height'] <= size[1]
        assert page.evaluate('document.documentElement.scrollWidth') <= size[0]


def test_the_photo_is_colored_by_class_and_things_are_numbered(visit, segmenter, toy_photo):
    result = segmenter(toy_photo)
    photo = np.asarray(Image.open(toy_photo)).astype(float)
    with visit() as page:
        show(page, toy_photo)
        seen = canvas(page).astype(float)
        scale = seen.shape[0] // photo.shape[0]
        small = seen[scale // 2 :: scale, scale // 2 :: scale]
        sure = result.probabilities.max(0) >= np.float32(0.5)
        mixed = 0.4 * photo + 0.6 * np.array(COLORS)[result.mask]
        expected = np.where((result.mask == 0)[..., None], photo, mixed)[sure]
        # Numbers cover a part of it.
        assert np.median(np.abs(small[sure] - expected)) < 12
        page.click('#alone')
        assert np.abs(canvas(page)[scale // 2 :: scale, scale // 2 :: scale] - photo).mean() < 12


def test_a_thing_is_seen_alone_by_its_card_and_in_the_picture(visit, toy_photo):
    with visit(size=PHONE) as page:
        show(page, toy_photo)
        everything = canvas(page)
        first = page.locator('#list button.card').first
        first.click()
        assert first.get_attribute('aria-pressed') == 'true'
        alone = canvas(page)
        assert alone.mean() < everything.mean() and not np.array_equal(alone, everything)
        page.click('#all')
        assert np.array_equal(canvas(page), everything)
        # Somewhere on the photo there is a thing to tap.
        box = page.locator('#picture').bounding_box()
        for part in np.linspace(0.05, 0.95, 19):
            place = dict(x=part * box['width'], y=part * box['height'])
            page.locator('#picture').click(position=place)
            if page.locator('#list [aria-pressed=true]').count():
                break
        assert page.locator('#list [aria-pressed=true]').count() == 1


def test_the_slider_hides_what_the_model_is_not_sure_of(visit, segmenter, toy_photo):
    result = segmenter(toy_photo)
    with visit() as page:
        show(page, toy_photo)
        page.click('summary')
        for key, confidence in (('End', 0.95), ('Home', 0), ('PageUp', None)):
            page.locator('#confidence').press(key)
            value = float(page.input_value('#confidence'))
            assert confidence is None or value == confidence
            wanted = list(expected_cards(result, value, 'en'))
            assert sorted(plain(cards(page))) == sorted(wanted)
            assert page.locator('.unsure').count() == (result.probabilities.max(0) < value).any()


def test_sharpening_changes_the_picture_and_can_be_undone(visit, toy_photo):
    with visit() as page:
        show(page, toy_photo)
        plain = canvas(page)
        page.click('summary')
        for is_on in (True, False):
            with page.expect_response('**/look*', timeout=120_000) as answer:
                page.set_checked('#edges', is_on)
            assert f'edges={str(is_on).lower()}' in answer.value.url
            page.wait_for_selector('#status:empty', state='attached', **SLOW)
            assert np.array_equal(canvas(page), plain) != is_on


def test_work_shows_at_once(visit, toy_photo):
    with visit() as page:
        page.evaluate(
            """() => {
              window.fetch = () => new Promise(() => {});
              const file = document.getElementById('file');
              file.addEventListener('change', () => setTimeout(() => {
                const status = document.getElementById('status');
                window.seen = [status.textContent, status.className];
              }, 0));
            }"""
        )
        page.set_input_files('#file', toy_photo)
        page.wait_for_function('window.seen')
        assert page.evaluate('window.seen') == [TEXTS['en']['working'], 'working']
        # The photo itself is there before any answer.
        page.wait_for_selector('#stage:not([hidden])', **SLOW)


def test_a_file_that_is_no_photo_is_refused_and_nothing_old_stays(visit, toy_photo, tmp_path):
    text = tmp_path / 'text.jpg'
    text.write_text('This is no photo. ' * 99)
    with visit('ko', failing=True) as page:
        show(page, toy_photo)
        page.set_input_files('#file', text)
        page.get_by_text(TEXTS['ko']['problem_type']).wait_for(**SLOW)
        assert page.locator('#answer').is_hidden() and page.locator('#stage').is_hidden()


def test_the_quiz(visit, segmenter, toy_photo):
    asked = [card for card in expected_cards(segmenter(toy_photo), 0.5, 'en') if '?' not in card[2]]
    assert asked
    texts, right = TEXTS['en'], 0
    with visit(size=PHONE) as page:
        show(page, toy_photo)
        page.click('#play')
        for number, (_, thing, bin_, how) in enumerate(asked):
            assert page.inner_text('.question') == texts['quiz_question']
            assert page.locator('#findings').is_hidden()
            names = page.locator('.choice').all_inner_texts()
            choice = bin_ if number % 2 == 0 else next(name for name in names if name != bin_)
            right += choice == bin_
            page.get_by_role('button', name=choice, exact=True).click()
            said = page.inner_text('#quiz')
            assert texts['right' if choice == bin_ else 'wrong'] in said
            assert bin_ in said and how in said and thing.split(' ')[0] in said
            page.get_by_role('button', name=texts['next']).click()
        assert page.inner_text('.score') == f'{texts["score"]} {right} / {len(asked)}'
        page.click('#play')
        assert page.locator('#findings').is_visible()


def test_the_camera(visit):
    with visit() as page:
        page.click('#camera')
        # wait_for_function would need 'unsafe-eval', which the page does not allow.
        for _ in range(300):
            if page.evaluate("document.querySelector('video').currentTime > 0"):
                break
            page.wait_for_timeout(100)
        page.click('#snap')
        page.wait_for_selector('#answer:not([hidden])', **SLOW)
        page.click('#alone')
        # Chromium's own camera shows a green field.
        red, green, blue = canvas(page)[20, 20].astype(int)
        assert green > 60 + red and green > 60 + blue


@pytest.mark.parametrize('path', ['', 'ko'])
@pytest.mark.parametrize('size', [PHONE, DESK])
def test_the_page_is_for_everybody(visit, path, size):
    playwright = pytest.importorskip('axe_playwright_python.sync_playwright')

    def violations(page):
        found = playwright.Axe().run(page).response['violations']
        return [(one['id'], one['nodes'][0]['html']) for one in found]

    with visit(path, size) as page:
        assert violations(page) == []
        page.locator('[data-example]').first.click()
        page.wait_for_selector('#answer:not([hidden])', **SLOW)
        page.click('summary')
        assert violations(page) == []
        page.click('#play')
        assert violations(page) == []
        assert page.evaluate('document.documentElement.scrollWidth') <= size[0]


def test_a_real_photo_on_a_phone(visit, segmenter, real_sample):
    path = sorted((real_sample / 'batch_01').glob('*.jpg'))[0]
    with visit(size=PHONE) as page:
        show(page, path)
        assert len(cards(page)) == len(list(expected_cards(segmenter(path), 0.5, 'en')))


def test_no_photo_is_left_on_the_disk(visit, server, toy_photo):
    with visit() as page:
        show(page, toy_photo)
    left = [path for path, _, files in os.walk(server[1]) if files]
    assert left == []


def test_ctrl_c_ends_it_where_a_parent_ignores_it(random_checkpoint, tmp_path):
    arguments = [TOOL, TOY, random_checkpoint, '--device', 'cpu']
    with served(*arguments, folder=tmp_path, ignored=signal.SIGINT) as (_, process):
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == 0


def test_mistakes_are_one_message(random_checkpoint, tmp_path, capsys):
    rules = tmp_path / 'rules.yaml'
    rules.write_text('language: en')
    arguments = [TOOL, TOY, random_checkpoint, '--device', 'cpu', '--port', free_port(), '--rules']
    assert str(rules) in call_tool(capsys, *arguments, rules, code=2).err
    assert 'en, en' in call_tool(capsys, *arguments, RULES['en'], RULES['en'], code=2).err
