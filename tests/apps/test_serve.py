import asyncio
import io
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser import chromium  # noqa: F401
from conftest import ROOT, outcome_of
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
IDLE, GONE = 1030, 200
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


def peak_mib(process):
    """The most memory that a process ever had, of which Linux tells."""
    status = Path(f'/proc/{process.pid}/status')
    if not status.is_file():
        pytest.skip('there is no /proc to read the memory of a process from')
    (line,) = (line for line in status.read_text().splitlines() if line.startswith('VmHWM'))
    return int(line.split()[1]) / 1024


def in_own_loop(coroutine):
    """Run a coroutine beside the loop that an open browser keeps in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def send_all(address, bodies, path='/segment?format=png'):
    limits = httpx.Limits(max_connections=len(bodies))
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=120) as client:
        headers = {'Content-Type': 'image/png'}
        return await asyncio.gather(
            *(client.post(path, content=body, headers=headers) for body in bodies)
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
    answers = in_own_loop(send_all(address, [bodies[number] for number in order]))
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
    address, process = server
    before, files = peak_mib(process), hostile_photos()
    names = [*files] * HOSTILE_ROUNDS
    answers = in_own_loop(send_all(address, [files[name][0] for name in names]))
    for name, answer in zip(names, answers, strict=True):
        assert answer.status_code in files[name][1], name
        assert answer.json()['detail']
    assert peak_mib(process) - before < MOST_FOR_REFUSALS


def test_the_largest_photos_at_once_take_bounded_memory(server):
    address, process = server
    before = peak_mib(process)
    largest = encoded(Image.new('RGBA', (5000, 5000)), 'PNG')
    answers = in_own_loop(send_all(address, [largest] * LARGEST))
    assert [answer.status_code for answer in answers] == [200] * LARGEST
    assert peak_mib(process) - before < MOST_FOR_LARGEST
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
    assert '4 selected' in done.stdout, done.stdout
    answered = httpx.get(f'{address}/metrics').text
    for status in (200, 415, 422):
        assert f'path="/segment",status="{status}"' in answered


def header_of(length, more=b''):
    return b'POST /segment HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n' + (
        b'Content-Length: %d\r\n%b\r\n' % (length, more)
    )


def connected(address):
    return socket.create_connection((urlsplit(address).hostname, urlsplit(address).port), 30)


def test_idle_connections_keep_nobody_out(server):
    address, _ = server
    try:
        idle = [connected(address) for _ in range(IDLE)]
    except OSError as error:
        pytest.skip(f'this process may not open {IDLE} connections: {error}')
    try:
        assert httpx.get(f'{address}/health', timeout=200).status_code == 200
        photo = encoded(Image.new('RGB', (64, 64)), 'PNG')
        assert in_own_loop(send_all(address, [photo]))[0].status_code == 200
    finally:
        for one in idle:
            one.close()


def test_clients_that_go_away_are_no_failures(server):
    address, process = server
    rng = np.random.default_rng(1)
    body = encoded(Image.fromarray(rng.integers(0, 256, (500, 500, 3), np.uint8)), 'PNG')
    for sent in range(GONE):
        client = connected(address)
        client.sendall(header_of(len(body)) + body[: len(body) * (sent % 3) // 2])
        # No farewell, as when a phone loses its network.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        client.close()
    assert in_own_loop(send_all(address, [body]))[0].status_code == 200
    wait_until(lambda: counted(address).get('trash_memory_bytes') == '0.0')
    numbers = counted(address)
    assert float(numbers['trash_requests_total{path="/segment",status="499"}']) >= GONE // 2
    assert 'trash_requests_total{path="/segment",status="500"}' not in numbers
    assert 'Traceback' not in process.said() and 'Exception' not in process.said()


def counted(address):
    lines = httpx.get(f'{address}/metrics', timeout=200).text.splitlines()
    return dict(line.rsplit(' ', 1) for line in lines if line[0] != '#')


def wait_until(is_true):
    end = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_description_loads_nothing_from_elsewhere(address, chromium):  # noqa: F811
    page = chromium.new_page()
    hosts = set()
    page.on('request', lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f'{address}/docs')
    page.get_by_text('/segment/batch').first.wait_for(timeout=60_000)
    page.close()
    assert hosts - {''} == {urlsplit(address).netloc}
    assert httpx.get(f'{address}/redoc').status_code == 404


def test_sigterm_does_not_wait_for_a_slow_client(random_checkpoint, tmp_path):
    arguments = ['apps/serve.py', TOY, random_checkpoint, '--device', 'cpu']
    with served(*arguments, folder=tmp_path) as (address, process):
        slow = connected(address)
        slow.sendall(header_of(10**6) + b'x')
        wait_until(lambda: counted(address).get('trash_memory_bytes') != '0.0')
        os.kill(process.pid, signal.SIGTERM)
        # Containers are killed after ten seconds.
        assert process.wait(10) == 0
        slow.close()


@pytest.mark.parametrize('tool', ['apps/serve.py', 'apps/sorting_guide.py'])
@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--port', '99999'], '65535'),
        (['--port', '0'], 'at least 1'),
        (['--port', '1', '--host', '192.0.2.1'], 'leave out --host'),
        (['--host', 'no.such.host.invalid'], 'leave out --host'),
        (['--host', ''.join(['a' * 70, '.b'])], 'leave out --host'),
    ],
)
def test_places_where_nobody_can_serve(random_checkpoint, capsys, tool, options, message):
    code, said = outcome_of(tool, TOY, random_checkpoint, '--device', 'cpu', *options)
    assert code == 2 and message in said and 'Traceback' not in said


@pytest.mark.parametrize('tool', ['apps/serve.py', 'apps/sorting_guide.py'])
def test_a_port_that_is_taken(random_checkpoint, tool):
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        code, said = outcome_of(tool, TOY, random_checkpoint, '--device', 'cpu', '--port', port)
    assert code == 2 and 'take another --port' in said


def test_ctrl_c_ends_it_where_a_parent_ignores_it(random_checkpoint, tmp_path):
    arguments = ['apps/serve.py', TOY, random_checkpoint, '--device', 'cpu']
    with served(*arguments, folder=tmp_path, ignored=signal.SIGINT) as (_, process):
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == 0


def test_keys_without_a_key_are_one_message(random_checkpoint, tmp_path):
    (tmp_path / 'keys').touch()
    options = ['--device', 'cpu', '--api-keys', tmp_path / 'keys']
    code, said = outcome_of('apps/serve.py', TOY, random_checkpoint, *options)
    assert code == 2 and 'has no key' in said


def test_the_client_prints_what_the_server_found(server, tmp_path, capsys):
    address, _ = server
    path = tmp_path / 'a.png'
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)).save(path)
    (answer,) = in_own_loop(send_all(address, [path.read_bytes()], '/segment?each=object'))
    code, said = outcome_of('apps/client.py', path, '--server', address, '--each', 'object')
    assert code == 0 and f'{path}: 80x60' in said
    for found in answer.json()['found']:
        assert f'{found["category"]}: {found["area_share"]:.1%} of the photo' in said
    path.write_text('text')
    code, said = outcome_of('apps/client.py', path, '--server', address)
    assert code == 2 and 'no image' in said and str(path) in said
    code, said = outcome_of('apps/client.py', path, '--server', 'http://127.0.0.1:1')
    assert code == 2 and 'does not answer' in said
