import asyncio
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from hostile_photos import encoded, hostile_photos
from PIL import Image
from serving import served

httpx = pytest.importorskip('httpx')
pytest.importorskip('schemathesis', minversion='4')
pytest.importorskip('fastapi')
pytest.importorskip('uvicorn')
pytest.importorskip('prometheus_client')

from mmseg_custom.apis import TrashSegmenter  # noqa: E402

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
REQUESTS, PHOTOS = 200, 25
HOSTILE_ROUNDS = 4
# In MiB. Pillow holds a photo at the limit, 25 megapixels of 4 bytes, as it is in the file and as
# RGB, two are decoded at a time, and the model sees eight small ones. Twelve at once need 2000.
LARGEST, MOST_FOR_REFUSALS, MOST_FOR_LARGEST = 12, 100, 800


@pytest.fixture(scope='module')
def server(random_checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp('serve')
    arguments = [TOY, random_checkpoint, '--device', 'cpu']
    with served('apps/serve.py', *arguments, folder=folder) as running:
        yield running


@pytest.fixture(scope='module')
def address(server):
    return server[0]


def peak_mib(pid):
    """The most memory that a process ever had, of which Linux tells."""
    status = Path(f'/proc/{pid}/status')
    if not status.is_file():
        pytest.skip('there is no /proc to read the memory of a process from')
    (line,) = (line for line in status.read_text().splitlines() if line.startswith('VmHWM'))
    return int(line.split()[1]) / 1024


async def send_all(address, bodies):
    limits = httpx.Limits(max_connections=len(bodies))
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=120) as client:
        headers = {'Content-Type': 'image/png'}
        return await asyncio.gather(
            *(client.post('/segment?format=png', content=body, headers=headers) for body in bodies)
        )


def test_200_requests_at_once_get_each_its_own_answer(address, random_checkpoint):
    rng = np.random.default_rng(0)
    sizes = [(64, 64), (64, 48), (32, 80)]
    photos = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8)).resize(sizes[i % 3]))
        for i in range(PHOTOS)
    ]
    bodies = [encoded(Image.fromarray(photo), 'PNG') for photo in photos]
    order = rng.integers(0, PHOTOS, REQUESTS)
    answers = asyncio.run(send_all(address, [bodies[number] for number in order]))
    assert [answer.status_code for answer in answers] == [200] * REQUESTS
    segmenter = TrashSegmenter(TOY, random_checkpoint, 'cpu')
    expected = [segmenter(photo).mask for photo in photos]
    assert len({mask.tobytes() for mask in expected}) == PHOTOS
    for number, answer in zip(order, answers, strict=True):
        mask = np.asarray(Image.open(io.BytesIO(answer.content)))
        assert mask.shape == expected[number].shape
        # In a batch the sums of a convolution may be made in another order.
        assert (mask != expected[number]).mean() < 0.01
    metrics = httpx.get(f'{address}/metrics').text
    counts = dict(line.rsplit(' ', 1) for line in metrics.splitlines() if line[0] != '#')
    assert float(counts['trash_batch_size_sum']) >= REQUESTS
    assert float(counts['trash_batch_size_count']) < REQUESTS
    assert float(counts['trash_photos_waiting']) == 0


def test_hostile_files_are_refused_in_bounded_memory(server):
    address, pid = server
    before, files = peak_mib(pid), hostile_photos()
    names = [*files] * HOSTILE_ROUNDS
    answers = asyncio.run(send_all(address, [files[name][0] for name in names]))
    for name, answer in zip(names, answers, strict=True):
        assert answer.status_code in files[name][1], name
        assert answer.json()['detail']
    assert peak_mib(pid) - before < MOST_FOR_REFUSALS


def test_the_largest_photos_at_once_take_bounded_memory(server):
    address, pid = server
    before = peak_mib(pid)
    largest = encoded(Image.new('RGBA', (5000, 5000)), 'PNG')
    answers = asyncio.run(send_all(address, [largest] * LARGEST))
    assert [answer.status_code for answer in answers] == [200] * LARGEST
    assert peak_mib(pid) - before < MOST_FOR_LARGEST
    assert httpx.get(f'{address}/health').json()['status'] == 'ok'


def test_the_api_does_what_it_describes(address, tmp_path):
    command = [sys.executable, '-m', 'schemathesis.cli', 'run', f'{address}/openapi.json']
    # That a body of the right type is no photo is what a schema cannot say.
    command += ['--exclude-checks', 'positive_data_acceptance', '--max-examples', '60']
    command += ['--seed', '0', '--no-color', '--generation-database', 'none']
    # The project's folder first: tests/mmseg_custom has the package's name.
    path = os.pathsep.join([str(ROOT), str(ROOT / 'tests')])
    env = os.environ | {'SCHEMATHESIS_HOOKS': 'photo_bodies', 'PYTHONPATH': path}
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert '3 selected' in done.stdout, done.stdout
    answered = httpx.get(f'{address}/metrics').text
    for status in (200, 415, 422):
        assert f'path="/segment",status="{status}"' in answered
