import io
import json
import re
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pytest
from conftest import ROOT
from hostile_photos import encoded, hostile_photos
from PIL import Image

pytest.importorskip('fastapi')
pytest.importorskip('prometheus_client')

from fastapi.testclient import TestClient  # noqa: E402

from mmseg_custom.apis import Segmentation, TrashSegmenter  # noqa: E402
from mmseg_custom.classes import built_in  # noqa: E402
from mmseg_custom.serving.guide import create_guide  # noqa: E402
from mmseg_custom.serving.guide_page import draw_examples, page_of, read_examples  # noqa: E402
from mmseg_custom.serving.rules import read_rules  # noqa: E402
from mmseg_custom.serving.upload import Limits  # noqa: E402
from mmseg_custom.utils import UserError  # noqa: E402

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
HOSTILE = hostile_photos()
LIMITS = Limits(max_bytes=3_000_000, max_pixels=1_000_000)


@pytest.fixture(scope='module')
def rules():
    paths = [ROOT / 'apps' / 'rules' / f'{name}.yaml' for name in ('en', 'ko')]
    return [read_rules(path, built_in()) for path in paths]


@pytest.fixture(scope='module')
def segmenter(random_checkpoint):
    return TrashSegmenter(TOY, random_checkpoint, 'cpu')


def turned(photo, probabilities):
    """A refinement that is easy to tell: classes in the opposite order."""
    return probabilities[::-1].copy()


@pytest.fixture(scope='module')
def client(segmenter, rules):
    app = create_guide(segmenter, rules, turned, LIMITS, examples=draw_examples())
    with TestClient(app) as client:
        yield client


def look(client, content, kind='image/png', **params):
    return client.post('/look', content=content, headers={'Content-Type': kind}, params=params)


def gray(text):
    image = Image.open(io.BytesIO(b64decode(text)))
    assert image.mode == 'L'
    return np.asarray(image)


@pytest.mark.parametrize('edges', [False, True])
def test_labels_and_confidence_are_the_models(client, segmenter, toy_set, edges):
    path = sorted((toy_set / 'batch_01').glob('*.jpg'))[0]
    result = segmenter(np.asarray(Image.open(path)))
    probabilities = result.probabilities[::-1] if edges else result.probabilities
    answer = look(client, path.read_bytes(), 'image/jpeg', edges=edges).json()
    mask = probabilities.argmax(0)
    assert len(np.unique(mask)) > 2
    assert np.array_equal(gray(answer['labels']), np.where(mask == 0, 255, mask))
    for step in range(21):
        # Exactly those below each step of the slider.
        below = gray(answer['confidence']) < 10 * step
        assert np.array_equal(below, probabilities.max(0) < np.float32(step / 20))


def test_the_files_of_the_server_cannot_be_asked_for(client, tmp_path):
    """A visitor of the Gradio page could name any file; now no path is ever read."""
    secret = tmp_path / 'secret.png'
    secret.write_bytes(encoded(Image.new('RGB', (8, 8), (1, 2, 3)), 'PNG'))
    asked = {'data': [{'path': str(secret)}], 'fn_index': 0, 'session_hash': 's'}
    for name in (str(secret), str(tmp_path / 'missing.png')):
        asked['data'][0]['path'] = name
        answers = [
            client.post('/gradio_api/queue/join', json=asked),
            client.post('/look', json=asked),
            client.post('/look', files={'photo': (name, b'text')}),
            client.post('/look', data={'photo': name}),
            client.get(f'/examples/{name}'),
            client.get(f'/examples/..%2f..{name}'),
            client.get(f'/static-offline-docs/..%2f..{name}'),
        ]
        assert [answer.status_code for answer in answers][0] == 404
        assert all(answer.status_code >= 400 for answer in answers)
        # Existing and missing files are answered alike.
        said = [answer.text.replace(name, '') for answer in answers]
        asked.setdefault('said', said)
        assert said == asked['said']


@pytest.mark.filterwarnings('ignore:Image size:PIL.Image.DecompressionBombWarning')
@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_files_are_refused(client, name):
    content, statuses = HOSTILE[name]
    assert look(client, content).status_code in statuses


def test_16_bits_are_seen_as_they_are(client):
    ramp = np.linspace(0, 65_535, 64 * 64).reshape(64, 64).astype(np.uint16)
    eight = Image.fromarray((ramp >> 8).astype(np.uint8))
    answers = [look(client, encoded(one, 'PNG')) for one in (Image.fromarray(ramp), eight)]
    assert answers[0].status_code == 200 and answers[0].json() == answers[1].json()


def test_each_language_has_a_page(client, rules):
    for path, one in zip(('/', '/ko'), rules, strict=True):
        page = client.get(path).text
        assert f'<html lang="{one.language}">' in page
        assert f'<title>{one.texts["title"]}</title>' in page
        for other in rules:
            assert other.name in page
    assert client.get('/fr').status_code == 404


class Texts(HTMLParser):
    """Collects what a person reads or hears of a page."""

    def __init__(self):
        super().__init__()
        self.found, self._silent = [], 0

    def handle_starttag(self, tag, attributes):
        self._silent += tag in ('script', 'style')
        self.found += [v for k, v in attributes if k in ('alt', 'aria-label', 'title')]

    def handle_endtag(self, tag):
        self._silent -= tag in ('script', 'style')

    def handle_data(self, data):
        if not self._silent and data.strip():
            self.found.append(data.strip())


def test_no_word_of_the_page_comes_from_elsewhere(client, rules):
    parser = Texts()
    parser.feed(client.get('/ko').text)
    known = [*rules[1].texts.values(), *(one.name for one in rules)]
    known += [f'{rules[1].texts["example"]} {number}' for number in (1, 2, 3)]
    assert len(parser.found) > 15 and set(parser.found) <= set(known)


def test_swatches_have_the_colors_of_a_checkpoint_that_train_wrote(client, segmenter):
    data = json.loads(re.search(r'id="data">(.*?)</script>', client.get('/').text)[1])
    assert set(data['things']) == {str(label) for label in segmenter.classes.foreground}
    for label, thing in data['things'].items():
        numbers = re.fullmatch(r'rgb\((\d+), (\d+), (\d+)\)', thing['color'])
        assert [*map(int, numbers.groups())] == list(segmenter.classes.colors[int(label)])


def test_what_the_rules_say_is_escaped(rules):
    from dataclasses import replace

    evil = '</script><script>alert(1)</script>'
    changed = replace(rules[0], texts={**rules[0].texts, 'title': evil, 'ask': evil})
    assert '<script>alert' not in page_of(changed, [changed], built_in(), 0)


def test_korean_letters_have_a_font(client, rules):
    from fontTools.ttLib import TTFont

    pytest.importorskip('brotli')
    answer = client.get('/korean.woff2')
    assert answer.headers['content-type'] == 'font/woff2'
    letters = TTFont(io.BytesIO(answer.content)).getBestCmap()
    words = [*rules[1].texts.values(), *(rule.how for rule in rules[1].classes.values())]
    hangul = {ord(letter) for letter in ''.join(words) if '가' <= letter <= '힣'}
    assert len(hangul) > 100 and hangul <= set(letters)


def test_examples_are_photos_that_the_guide_accepts(client):
    for number in range(3):
        answer = client.get(f'/examples/{number}')
        assert look(client, answer.content, answer.headers['content-type']).status_code == 200
    assert client.get('/examples/3').status_code == client.get('/examples/-1').status_code == 404


def test_examples_can_be_given(tmp_path):
    path = tmp_path / 'a.webp'
    Image.new('RGB', (20, 10)).save(path)
    (example,) = read_examples([str(path)], Limits())
    assert example == (path.read_bytes(), 'image/webp')
    path.write_bytes(b'text')
    with pytest.raises(UserError):
        read_examples([str(path)], Limits())


def test_a_class_list_without_background(rules):
    from mmseg_custom.classes import class_list
    from mmseg_custom.serving.guide import to_look
    from mmseg_custom.serving.service import Seen, summary
    from mmseg_custom.serving.upload import Upload

    classes = class_list(dict(names=['Paper', 'Glass'], background=None))
    probabilities = np.array([[[0.9, 0.3]], [[0.1, 0.7]]], np.float32)
    found = Segmentation(probabilities.argmax(0).astype(np.uint8), probabilities, classes)
    seen = Seen(Upload(np.zeros((1, 2, 3), np.uint8), 1, 2), *summary(found))
    assert gray(to_look(seen, classes).labels).tolist() == [[0, 1]]
