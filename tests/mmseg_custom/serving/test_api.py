import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import ROOT
from hostile_photos import encoded, hostile_photos
from PIL import Image
from pycocotools import mask as coco_mask
from scipy import ndimage

pytest.importorskip('fastapi')
pytest.importorskip('prometheus_client')

from fastapi.testclient import TestClient  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

from mmseg_custom.apis import TrashSegmenter  # noqa: E402
from mmseg_custom.classes import built_in  # noqa: E402
from mmseg_custom.serving.answers import to_answer  # noqa: E402
from mmseg_custom.serving.api import create_app  # noqa: E402
from mmseg_custom.serving.capacity import Capacity  # noqa: E402
from mmseg_custom.serving.service import Seen  # noqa: E402
from mmseg_custom.serving.upload import Limits, Upload  # noqa: E402

CLASSES = built_in().names
PALETTE = built_in().mask_colors

HOSTILE = hostile_photos()
LIMITS = Limits(max_bytes=3_000_000, max_pixels=1_000_000, max_side=128)


@pytest.fixture(scope='module')
def segmenter(random_checkpoint):
    return TrashSegmenter(ROOT / 'configs' / 'upernet_swin_toy.py', random_checkpoint, 'cpu')


@pytest.fixture(scope='module')
def client(segmenter):
    with TestClient(create_app(segmenter, LIMITS)) as client:
        yield client


@pytest.fixture(scope='module')
def photo(toy_set):
    return sorted((toy_set / 'batch_01').glob('*.jpg'))[0]


def send(client, content, kind='image/jpeg', **params):
    return client.post('/segment', content=content, headers={'Content-Type': kind}, params=params)


def mask_of(png):
    image = Image.open(io.BytesIO(png))
    assert image.format == 'PNG' and image.mode == 'P'
    return image


def test_the_png_is_the_mask_in_the_colors_of_the_classes(client, segmenter, photo):
    answer = send(client, photo.read_bytes(), format='png')
    assert answer.status_code == 200 and answer.headers['content-type'] == 'image/png'
    image = mask_of(answer.content)
    expected = segmenter(np.asarray(Image.open(photo))).mask
    assert len(np.unique(expected)) > 2
    assert np.array_equal(np.asarray(image), expected)
    assert np.array_equal(np.asarray(image.convert('RGB')), np.array(PALETTE)[expected])


def test_the_run_lengths_say_the_same(client, photo):
    content = photo.read_bytes()
    mask = np.asarray(mask_of(send(client, content, format='png').content))
    answer = send(client, content)
    assert answer.headers['content-type'] == 'application/json'
    found = answer.json()
    assert (found['height'], found['width']) == mask.shape
    assert {f['category_id'] for f in found['found']} == set(np.unique(mask)) - {0}
    for one in found['found']:
        painted = coco_mask.decode(one['segmentation'])
        assert np.array_equal(painted, mask == one['category_id'])
        assert one['category'] == CLASSES[one['category_id']]
        assert one['area'] == painted.sum()
        assert one['area_share'] == pytest.approx(painted.mean())
        assert one['bbox'] == coco_mask.toBbox(one['segmentation']).tolist()


def test_a_shrunk_and_turned_photo_is_answered_in_its_own_size(client, segmenter, photo):
    large = Image.open(photo).resize((640, 320), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[0x0112] = 6
    answer = send(client, encoded(large, 'PNG', exif=exif), 'image/png', format='png')
    mask = np.asarray(mask_of(answer.content))
    assert mask.shape == (640, 320)
    small = large.copy()
    small.thumbnail((128, 128))
    expected = segmenter(small.transpose(Image.Transpose.ROTATE_270)).mask
    assert expected.shape == (128, 64)
    assert np.array_equal(mask, expected.repeat(5, 0).repeat(5, 1))


@pytest.mark.filterwarnings('ignore:Image size:PIL.Image.DecompressionBombWarning')
@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_files_are_refused(client, name):
    content, statuses = HOSTILE[name]
    answer = send(client, content)
    assert answer.status_code in statuses
    assert list(answer.json()) == ['detail']


@pytest.mark.parametrize(
    'kind', ['image/svg+xml', 'text/plain', 'multipart/mixed; boundary=x', '', 'image/jpegs']
)
def test_only_photos_are_accepted(client, photo, kind):
    answer = send(client, photo.read_bytes(), kind)
    assert answer.status_code == 415 and 'curl --data-binary' in answer.json()['detail']


def test_the_type_is_judged_by_the_bytes_and_parameters_are_allowed(client, photo):
    assert send(client, photo.read_bytes(), 'IMAGE/PNG; charset=binary').status_code == 200


def test_an_unknown_format(client, photo):
    answer = send(client, photo.read_bytes(), format='gif')
    assert answer.status_code == 422 and answer.json()['detail'].startswith('format: ')


def test_a_full_line_is_503(segmenter, photo):
    model = Slow(segmenter)
    app = create_app(model, LIMITS, Capacity(max_memory=1, max_waiting=1))
    with TestClient(app) as client, ThreadPoolExecutor(3) as pool:
        first = pool.submit(send, client, photo.read_bytes())
        assert model.asked.wait(30)
        second = pool.submit(send, client, photo.read_bytes())
        until(lambda: client.get('/health').json()['waiting'] == 1)
        third = send(client, photo.read_bytes())
        # What was not let in is not counted as waiting, and the server answers.
        assert client.get('/health').status_code == 200
        model.door.set()
        assert (first.result().status_code, second.result().status_code) == (200, 200)
    assert third.status_code == 503 and third.headers['retry-after'] == '1'
    assert list(third.json()) == ['detail']


class Slow:
    """A model that waits until its door is opened."""

    def __init__(self, segmenter):
        self._segmenter, self.classes = segmenter, segmenter.classes
        self.asked, self.door = threading.Event(), threading.Event()

    def batch(self, photos):
        self.asked.set()
        assert self.door.wait(60)
        return self._segmenter.batch(photos)


def until(is_true):
    end = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_health_states_classes_and_limits(client):
    health = client.get('/health').json()
    assert (health['status'], health['classes'], health['waiting']) == ('ok', list(CLASSES), 0)
    assert health['limits'] == dict(
        max_megabytes=3,
        max_megapixels=1,
        max_side=128,
        max_batch=8,
        max_photos=32,
        max_memory_megabytes=256,
        max_waiting=512,
        decode_seconds=10,
        upload_seconds=60,
        photos_per_minute=None,
    )


def test_a_form_is_answered_as_a_body_is(client, photo):
    content = photo.read_bytes()
    answer = client.post('/segment', files={'photo': ('a.jpg', content, 'image/jpeg')})
    assert answer.status_code == 200
    assert answer.json() == send(client, content).json()


def test_confidence_is_the_mean_probability(client, segmenter, photo):
    result = segmenter(np.asarray(Image.open(photo)))
    for one in send(client, photo.read_bytes()).json()['found']:
        label = one['category_id']
        expected = result.probabilities[label][result.mask == label].mean()
        assert one['confidence'] == pytest.approx(expected, abs=1e-3)


def test_objects_are_the_connected_components(client, segmenter, photo):
    result = segmenter(np.asarray(Image.open(photo)))
    expected = {}
    for label in range(1, len(CLASSES)):
        components, count = ndimage.label(result.mask == label, np.ones((3, 3)))
        sizes = ndimage.sum_labels(components > 0, components, range(1, count + 1))
        expected[label] = sorted(sizes.tolist(), reverse=True) if count else []
    answer = send(client, photo.read_bytes(), each='object').json()
    assert 2 < len(answer['found']) == min(50, sum(map(len, expected.values())))
    assert answer['left_out'] == sum(map(len, expected.values())) - len(answer['found'])
    areas = [one['area'] for one in answer['found']]
    assert areas == sorted(sum(expected.values(), []), reverse=True)[: len(areas)]
    painted = sum(coco_mask.decode(one['segmentation']) for one in answer['found'])
    assert painted.max() == 1
    for one in answer['found']:
        pixels = coco_mask.decode(one['segmentation']) > 0
        assert ndimage.label(pixels, np.ones((3, 3)))[1] == 1
        assert set(np.unique(result.mask[pixels])) == {one['category_id']}
        expected_confidence = result.probabilities[one['category_id']][pixels].mean()
        assert one['confidence'] == pytest.approx(expected_confidence, abs=1e-3)


def test_many_objects_are_bounded_and_said(segmenter):
    mask = np.zeros((64, 64), np.uint8)
    mask[::2, ::2] = 1
    mask[:3, :3] = 2
    seen = Seen(Upload(None, 64, 64), mask, np.ones((64, 64), np.float16))
    answer = to_answer(seen, segmenter.classes, 'object')
    assert len(answer.found) == 50 and answer.found[0].category_id == 2
    assert answer.left_out == ndimage.label(mask, np.ones((3, 3)))[1] - 50


def test_a_smaller_side_is_shown_to_the_model(client, segmenter, photo):
    large = Image.open(photo).resize((128, 128), Image.Resampling.NEAREST)
    answer = send(client, encoded(large, 'PNG'), 'image/png', format='png', max_side=64)
    mask = np.asarray(mask_of(answer.content))
    small = large.copy()
    small.thumbnail((64, 64))
    assert np.array_equal(mask, segmenter(small).mask.repeat(2, 0).repeat(2, 1))
    assert send(client, photo.read_bytes(), max_side=129).status_code == 422


def test_several_photos_are_answered_each_with_its_own(client, photo):
    good = photo.read_bytes()
    large = bytes(3_000_001)
    named = [('a.jpg', good), ('notes.txt', b'text'), ('large.jpg', large), ('b.jpg', good)]
    answer = client.post('/segment/batch', files=[('photos', one) for one in named])
    assert answer.status_code == 200
    photos = answer.json()['photos']
    assert [one['name'] for one in photos] == [name for name, _ in named]
    assert photos[0]['answer'] == photos[3]['answer'] == send(client, good).json()
    assert 'no image' in photos[1]['problem'] and photos[1]['answer'] is None
    assert '3 MB' in photos[2]['problem']
    assert client.post('/segment/batch', files=[('photos', named[0])] * 33).status_code == 422
    assert send_to_batch(client, good).status_code == 415


def send_to_batch(client, content):
    return client.post('/segment/batch', content=content, headers={'Content-Type': 'image/jpeg'})


def test_only_the_photo_that_fails_is_refused(segmenter, photo):
    class Picky(Slow):
        def batch(self, photos):
            if any(one.shape[0] == 60 and one[0, 0, 0] == 250 for one in photos):
                raise RuntimeError('a secret of the server')
            return segmenter.batch(photos)

    good, bad = (encoded(Image.new('RGB', (64, 60), (value, 0, 0)), 'PNG') for value in (9, 250))
    with TestClient(create_app(Picky(segmenter), LIMITS)) as client:
        named = [(f'{i}.png', bad if i == 3 else good) for i in range(7)]
        photos = client.post('/segment/batch', files=[('photos', n) for n in named]).json()
        alone = send(client, bad, 'image/png')
    problems = [one['problem'] for one in photos['photos']]
    assert problems == [None] * 3 + ['the model fails on 3.png'] + [None] * 3
    assert alone.status_code == 500 and 'secret' not in alone.text
    assert alone.json() == dict(detail='the model fails on the photo')


def test_a_key_is_needed_where_keys_are_given(segmenter, photo):
    key = 'the key of a kitchen'
    with TestClient(create_app(segmenter, LIMITS, keys=[key])) as client:
        for path in ('/segment', '/segment/batch'):
            for headers in ({}, {'X-API-Key': key[1:]}, {'X-API-Key': ''}):
                answer = client.post(path, files={'photos': photo.read_bytes()}, headers=headers)
                assert answer.status_code == 401 and list(answer.json()) == ['detail']
            headers = {'X-API-Key': key}
            answer = client.post(path, files={'photos': photo.read_bytes()}, headers=headers)
            assert answer.status_code == 200
        assert client.get('/health').status_code == 200
        described = client.get('/openapi.json').json()
    assert described['components']['securitySchemes']['APIKeyHeader']['name'] == 'X-API-Key'
    assert described['paths']['/segment']['post']['security'] == [{'APIKeyHeader': []}]


def test_photos_beyond_the_rate_are_429(segmenter, photo):
    content = photo.read_bytes()
    with TestClient(create_app(segmenter, LIMITS, Capacity(per_minute=2))) as client:
        statuses = [send(client, content).status_code for _ in range(2)]
        refused = send(client, content)
        assert client.get('/health').json()['limits']['photos_per_minute'] == 2
    assert statuses == [200, 200] and refused.status_code == 429
    assert 0 < int(refused.headers['retry-after']) <= 31


def test_what_is_not_there_is_answered_as_described(client):
    for answer in (client.get('/nothing'), client.get('/segment')):
        assert answer.status_code in (404, 405) and list(answer.json()) == ['detail']


def test_each_request_is_a_line_of_json(client, photo, caplog):
    with caplog.at_level('INFO', 'trash_seg.requests'):
        send(client, photo.read_bytes())
        client.get('/a%0Ab')
    lines = [json.loads(record.message) for record in caplog.records]
    said = [(line['method'], line['path'], line['status']) for line in lines]
    assert said == [('POST', '/segment', 200), ('GET', '/a\nb', 404)]
    assert all('\n' not in record.message for record in caplog.records)
    assert lines[0]['client'] == 'testclient' and lines[0]['seconds'] > 0


def test_the_examples_of_the_description_are_valid(client):
    jsonschema = pytest.importorskip('jsonschema')
    described = client.get('/openapi.json').json()
    checked = 0
    for path in ('/segment', '/segment/batch'):
        for answer in described['paths'][path]['post']['responses'].values():
            content = answer['content']['application/json']
            schema = content['schema'] | dict(components=described['components'])
            jsonschema.validate(content['example'], schema)
            checked += 1
    assert checked > 10
    example = described['paths']['/segment']['post']['responses']['200']['content']
    (found,) = example['application/json']['example']['found']
    mask = coco_mask.decode(found['segmentation'])
    assert mask.shape == (4, 6) and mask.sum() == found['area']
    assert coco_mask.toBbox(found['segmentation']).tolist() == found['bbox']


def test_metrics_count_what_happened(segmenter, photo):
    content = photo.read_bytes()
    with TestClient(create_app(segmenter, LIMITS, Capacity(max_waiting=7))) as client:
        for _ in range(3):
            send(client, content)
        send(client, b'text')
        client.get('/nothing/here')
        text = client.get('/metrics').text
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples['trash_requests_total', '/segment', '200'] == 3
    assert samples['trash_requests_total', '/segment', '415'] == 1
    assert samples['trash_requests_total', 'other', '404'] == 1
    assert samples['trash_request_seconds_count', '/segment'] == 4
    assert samples['trash_request_seconds_sum', '/segment'] > 0
    assert samples['trash_batch_size_sum',] == 3
    assert samples['trash_photos_waiting',] == 0
    assert samples['trash_requests_in_line',] == samples['trash_memory_bytes',] == 0
    assert samples['trash_requests_in_line_limit',] == 7


def test_the_answer_is_as_the_api_describes_it(client, photo):
    jsonschema = pytest.importorskip('jsonschema')
    described = client.get('/openapi.json').json()
    operation = described['paths']['/segment']['post']
    assert set(operation['requestBody']['content']) == {
        'image/jpeg',
        'image/png',
        'image/webp',
        'multipart/form-data',
    }
    schema = operation['responses']['200']['content']['application/json']['schema']
    schema |= dict(components=described['components'])
    jsonschema.validate(send(client, photo.read_bytes()).json(), schema)
