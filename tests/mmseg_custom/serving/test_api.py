import io

import numpy as np
import pytest
from conftest import ROOT
from hostile_photos import encoded, hostile_photos
from PIL import Image
from pycocotools import mask as coco_mask

pytest.importorskip('fastapi')
pytest.importorskip('prometheus_client')

from fastapi.testclient import TestClient  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

from mmseg_custom.apis import TrashSegmenter  # noqa: E402
from mmseg_custom.classes import built_in  # noqa: E402
from mmseg_custom.serving.api import create_app  # noqa: E402
from mmseg_custom.serving.upload import Limits  # noqa: E402

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
    'kind', ['image/svg+xml', 'text/plain', 'multipart/form-data; boundary=x', '', 'image/jpegs']
)
def test_only_photos_are_accepted(client, photo, kind):
    answer = send(client, photo.read_bytes(), kind)
    assert answer.status_code == 415 and 'curl --data-binary' in answer.json()['detail']


def test_the_type_is_judged_by_the_bytes_and_parameters_are_allowed(client, photo):
    assert send(client, photo.read_bytes(), 'IMAGE/PNG; charset=binary').status_code == 200


def test_an_unknown_format(client, photo):
    answer = send(client, photo.read_bytes(), format='gif')
    assert answer.status_code == 422 and answer.json()['detail'].startswith('format: ')


def test_a_full_queue_is_503(segmenter, photo):
    with TestClient(create_app(segmenter, LIMITS, max_waiting=0)) as client:
        answer = send(client, photo.read_bytes())
    assert answer.status_code == 503 and answer.headers['retry-after'] == '1'


def test_health(client):
    assert client.get('/health').json() == dict(status='ok', classes=list(CLASSES))


def test_metrics_count_what_happened(segmenter, photo):
    content = photo.read_bytes()
    with TestClient(create_app(segmenter, LIMITS, max_waiting=7)) as client:
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
    assert samples['trash_photos_waiting_limit',] == 7


def test_the_answer_is_as_the_api_describes_it(client, photo):
    jsonschema = pytest.importorskip('jsonschema')
    described = client.get('/openapi.json').json()
    operation = described['paths']['/segment']['post']
    assert set(operation['requestBody']['content']) == {'image/jpeg', 'image/png', 'image/webp'}
    schema = operation['responses']['200']['content']['application/json']['schema']
    schema |= dict(components=described['components'])
    jsonschema.validate(send(client, photo.read_bytes()).json(), schema)
