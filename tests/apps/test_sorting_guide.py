import io
from contextlib import contextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest
import yaml
from browser import chromium  # noqa: F401
from conftest import ROOT, call_tool
from PIL import Image
from serving import served

pytest.importorskip('gradio', minversion='6')

from mmseg_custom.apis import TrashSegmenter  # noqa: E402
from mmseg_custom.classes import built_in
from mmseg_custom.visualization import overlay  # noqa: E402

CLASSES = built_in().names
PALETTE = built_in().colors

TOOL = 'apps/sorting_guide.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
RULES = {name: ROOT / 'apps' / 'rules' / f'{name}.yaml' for name in ('en', 'ko')}
SLOW = dict(timeout=30_000)
SHOWN = '.findings li:not(.unsure)'
PICTURES = 'img[data-testid=imageslider-image]'
CHANGED = '([old, query]) => document.querySelectorAll(query)[1]?.src != old'


@pytest.fixture(scope='module')
def address(random_checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp('guide')
    arguments = [TOY, random_checkpoint, '--device', 'cpu']
    with served(TOOL, *arguments, folder=folder) as (address, _):
        yield address


@pytest.fixture(scope='module')
def segmenter(random_checkpoint):
    return TrashSegmenter(TOY, random_checkpoint, 'cpu')


@pytest.fixture
def toy_photo(toy_set):
    return sorted((toy_set / 'batch_01').glob('*.jpg'))[0]


@pytest.fixture
def visit(chromium, address):  # noqa: F811
    # A script's error and anything asked of another host fail the test.
    @contextmanager
    def visited(path='', width=1200):
        page = chromium.new_page(viewport=dict(width=width, height=900))
        errors, hosts = [], set()
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.on('console', lambda said: errors.append(said.text) if said.type == 'error' else None)
        page.on('request', lambda request: hosts.add(urlsplit(request.url).netloc))
        try:
            page.goto(f'{address}/{path}')
            page.wait_for_selector('input[type=file]', state='attached', **SLOW)
            yield page
        finally:
            page.close()
        assert errors == []
        assert hosts - {''} == {urlsplit(address).netloc}

    return visited


def show(page, photo):
    page.set_input_files('input[type=file]', photo)
    page.wait_for_selector('.findings', **SLOW)


def picture(page, number):
    address = page.locator(PICTURES).nth(number).get_attribute('src')
    return np.asarray(Image.open(io.BytesIO(page.request.get(address).body())))


def findings(page):
    return page.eval_on_selector_all(
        SHOWN,
        """items => items.map(item => [
            getComputedStyle(item.querySelector('.swatch')).backgroundColor,
            item.querySelector('.thing').innerText,
            item.querySelector('.bin').innerText,
            item.querySelector('.how').innerText])""",
    )


def expected_findings(mask, language):
    rules = yaml.safe_load(RULES[language].read_text(encoding='utf-8'))
    shares = {label: (mask == label).mean() for label in range(1, len(CLASSES))}
    for label in sorted(shares, key=lambda label: -shares[label]):
        rule, share = rules['classes'][CLASSES[label]], shares[label]
        if share:
            percent = f'{100 * share:.0f}' if share >= 0.01 else '< 1'
            thing = f'{rule["name"]} {percent} % {rules["texts"]["of_the_photo"]}'
            name = rules['bins'][rule['bin']]['name']
            yield [f'rgb{PALETTE[label]}', thing, name, rule['how']]


def unsure_mask(result, confidence):
    return np.where(result.probabilities.max(0) < confidence, 255, result.mask)


@pytest.mark.parametrize(('language', 'path'), [('en', ''), ('ko', 'ko')])
def test_a_photo_is_shown_with_its_mask_legend_and_bins(
    visit, segmenter, toy_photo, language, path
):
    photo = np.asarray(Image.open(toy_photo))
    mask = unsure_mask(segmenter(photo), 0.5)
    wanted = list(expected_findings(mask, language))
    assert len(wanted) > 1
    with visit(path) as page:
        show(page, toy_photo)
        texts = yaml.safe_load(RULES[language].read_text(encoding='utf-8'))['texts']
        assert page.inner_text('h1') == texts['title']
        assert np.array_equal(picture(page, 0), photo)
        assert np.array_equal(picture(page, 1), overlay(photo, mask, built_in()))
        found = [
            [part.replace('\N{NO-BREAK SPACE}', ' ') for part in item] for item in findings(page)
        ]
        assert sorted(found) == sorted(wanted)
        assert texts['note'] in page.inner_text('.findings')


def test_the_slider_hides_what_the_model_is_not_sure_of(visit, segmenter, toy_photo):
    photo = np.asarray(Image.open(toy_photo))
    result = segmenter(photo)
    expected = [overlay(photo, unsure_mask(result, each), built_in()) for each in (0.5, 0.95, 0)]
    assert not np.array_equal(expected[0], expected[1])
    with visit() as page:
        show(page, toy_photo)
        slider = page.get_by_label('range slider')
        for key, wanted in (('End', expected[1]), ('Home', expected[2])):
            before = page.locator(PICTURES).nth(1).get_attribute('src')
            slider.press(key)
            slider.dispatch_event('pointerup')
            page.wait_for_function(CHANGED, arg=[before, PICTURES], **SLOW)
            assert np.array_equal(picture(page, 1), wanted)
        assert page.locator('.findings .unsure').count() == 0


def test_sharpening_changes_the_mask_and_can_be_undone(visit, segmenter, toy_photo):
    from mmseg_custom.postprocess.dense_crf import DenseCrf

    photo = np.asarray(Image.open(toy_photo))
    result = segmenter(photo)
    refined = DenseCrf()(photo, result.probabilities)
    mask = np.where(refined.max(0) < 0.5, 255, refined.argmax(0))
    assert not np.array_equal(mask, unsure_mask(result, 0.5))
    with visit() as page:
        show(page, toy_photo)
        plain = page.locator(PICTURES).nth(1).get_attribute('src')
        page.get_by_role('checkbox').check()
        page.wait_for_function(CHANGED, arg=[plain, PICTURES], timeout=90_000)
        assert np.array_equal(picture(page, 1), overlay(photo, mask, built_in()))
        page.get_by_role('checkbox').uncheck()
        page.wait_for_function(CHANGED.replace('!=', '=='), arg=[plain, PICTURES], **SLOW)


def test_a_real_photo_on_a_phone(visit, segmenter, real_sample):
    path = sorted((real_sample / 'batch_01').glob('*.jpg'))[0]
    mask = unsure_mask(segmenter(np.asarray(Image.open(path))), 0.5)
    with visit(width=390) as page:
        show(page, path)
        assert len(findings(page)) == len(list(expected_findings(mask, 'en')))
        assert page.evaluate('document.documentElement.scrollWidth') <= 390


def test_the_camera(visit):
    with visit() as page:
        page.get_by_label('Capture from camera').click()
        page.get_by_text('Click to Access Webcam').click()
        page.wait_for_function("document.querySelector('video')?.currentTime > 0", **SLOW)
        page.get_by_label('capture photo').click()
        page.wait_for_selector('.findings', **SLOW)
        # Chromium's own camera shows a green field.
        height, width = picture(page, 0).shape[:2]
        red, green, blue = picture(page, 0)[height // 8, width // 8].astype(int)
        assert green > 60 + red and green > 60 + blue


def test_a_file_that_is_no_photo_is_refused_and_nothing_old_stays(visit, toy_photo, tmp_path):
    text = tmp_path / 'text.jpg'
    text.write_text('This is no photo. ' * 99)
    with visit() as page:
        show(page, toy_photo)
        page.get_by_label('Remove Image').click()
        page.wait_for_selector('.findings', state='detached', **SLOW)
        page.set_input_files('input[type=file]', text)
        page.get_by_text(
            'the photo is truncated or no image (accepted: JPEG, PNG, WEBP)'
        ).first.wait_for(**SLOW)
        assert page.locator('.findings').count() == page.locator(PICTURES).count() == 0


def test_mistakes_are_one_message(random_checkpoint, tmp_path, capsys):
    rules = tmp_path / 'rules.yaml'
    rules.write_text('language: en')
    arguments = [TOOL, TOY, random_checkpoint, '--device', 'cpu', '--rules']
    assert str(rules) in call_tool(capsys, *arguments, rules, code=2).err
    assert 'en, en' in call_tool(capsys, *arguments, RULES['en'], RULES['en'], code=2).err


def test_a_port_that_is_taken(random_checkpoint, address, capsys):
    port = urlsplit(address).port
    arguments = [TOOL, TOY, random_checkpoint, '--device', 'cpu', '--port', port]
    assert 'take another --port' in call_tool(capsys, *arguments, code=2).err
