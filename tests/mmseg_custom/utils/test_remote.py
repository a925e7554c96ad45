"""Remote files: the cache is what the storage has, faults are tried again or one message."""

import http.server
import io
import multiprocessing
import os
import tarfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from object_store import forget, pack

from mmseg_custom.utils import UserError, atomic_path, remote
from mmseg_custom.utils.addresses import address_of, local_path, shown
from mmseg_custom.utils.remote import cache, store


def read(address: str) -> bytes:
    return Path(remote.fetched(address)).read_bytes()


@pytest.mark.parametrize('address', ['s3://b/set/a.jpg', 'http://127.0.0.1:80/x y/ü.png', 'gs://b'])
def test_an_address_and_its_place_in_the_cache_are_one(address):
    place = local_path(address)
    assert os.path.isabs(place) and address_of(place) == address_of(address) == address
    assert local_path(Path(address)) == Path(place)
    assert shown(f'{place}: gone') == f'{address}: gone'


@pytest.mark.parametrize('archive', ['/data/set.tar', 's3://b/my set.tar', '/data/no_suffix'])
def test_a_file_in_an_archive_has_a_place_behind_the_archive(archive):
    top, address = local_path(f'tar://::{archive}'), f'tar://x y/ü.png::{archive}'
    place = os.path.join(top, 'x y', 'ü.png')
    assert local_path(address) == place and address_of(place) == address_of(address) == address
    assert local_path(Path(address)) == Path(place)
    assert shown(f'{place}: gone') == f'{archive}/x y/ü.png: gone'
    if archive.endswith('.tar'):
        assert local_path(f'tar://x y::{archive}/ü.png') == place


@pytest.mark.parametrize('path', ['/data/a.jpg', 'a.jpg', 'C:/a.jpg', Path('x/s3:'), b'x', None])
def test_other_paths_stay_as_they_are(path):
    assert local_path(path) is path


def test_a_name_that_leads_out_of_the_cache_is_no_address():
    inside = local_path('s3://b/set')
    assert address_of(f'{inside}/../other/a.jpg') == 's3://b/other/a.jpg'
    assert address_of(f'{inside}/../../../../../etc/passwd') is None


def test_a_file_is_fetched_once_and_again_when_it_has_changed(bucket):
    bucket.put('a.bin', b'first')
    address = f's3://{bucket.name}/a.bin'
    assert [read(address), read(address)] == [b'first'] * 2
    assert bucket.asked['GET a.bin'] == 1
    forget()
    assert (read(address), bucket.asked['GET a.bin']) == (b'first', 1)
    bucket.put('a.bin', b'later')  # Of the same size.
    forget()
    assert (read(address), bucket.asked['GET a.bin']) == (b'later', 2)


def test_a_listing_compares_all_copies_of_a_folder_at_once(bucket):
    for name in 'ab':
        bucket.put(f'set/{name}', name.encode())
    address = f's3://{bucket.name}/set'
    assert [read(f'{address}/{name}') for name in 'ab'] == [b'a', b'b']
    forget()
    bucket.clear()
    bucket.put('set/b', b'B')
    assert remote.list_folder(address) == ([], ['a', 'b'])
    assert [read(f'{address}/{name}') for name in 'ab'] == [b'a', b'B']
    asked = {key for key in bucket.asked if '/a' in key or '/b' in key}
    assert asked == {'PUT set/b', 'GET set/b'}


@pytest.mark.parametrize('faults', [[500, 500], ['cut'], ['slow'], ['slow', 500, 'cut']])
def test_faults_that_pass_are_tried_again(bucket, monkeypatch, faults):
    monkeypatch.setattr(store, 'READ_TIMEOUT', 1)
    content = bytes(range(256)) * 1000
    bucket.put('a.bin', content)
    bucket.failing['a.bin'] = list(faults)
    assert read(f's3://{bucket.name}/a.bin') == content
    assert bucket.asked['GET a.bin'] == len(faults) + 1


@pytest.mark.parametrize('fault', [500, 'cut'])
def test_faults_that_stay_are_one_message_and_leave_nothing(bucket, fault):
    bucket.put('a.bin', b'content' * 1000)
    bucket.failing['a.bin'] = [fault] * 99
    address = f's3://{bucket.name}/a.bin'
    with pytest.raises(UserError, match='cannot be read after 5 tries') as caught:
        read(address)
    assert str(caught.value).startswith(f'{address}: ') and '\n' not in str(caught.value)
    assert bucket.asked['GET a.bin'] == store.TRIES
    left = [path for path in Path(os.environ['TRASH_SEG_CACHE']).rglob('*') if path.is_file()]
    assert [path for path in left if path.name[0] != '.'] == []


def test_processes_fetch_a_file_once(bucket):
    bucket.put('a.bin', b'x' * 100_000)
    address = f's3://{bucket.name}/a.bin'
    context = multiprocessing.get_context('fork')
    workers = [context.Process(target=read, args=(address,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert bucket.asked['GET a.bin'] == 1


def _same_as_written(addresses: list[str]) -> None:
    assert [read(address) for address in addresses] == [content_of(one) for one in addresses]


def content_of(address: str) -> bytes:
    return Path(address.partition('::')[0]).name.encode() * 5000


@pytest.mark.parametrize('kind', ['tar', 'zip', 'lmdb'])
def test_threads_and_processes_read_one_archive_at_once(bucket, tmp_path, kind):
    folder = tmp_path / 'set'
    folder.mkdir()
    names = [f'{number}.bin' for number in range(64)]
    for name in names:
        (folder / name).write_bytes(content_of(name))
    archive = pack(tmp_path / 'set', kind, folder)
    addresses = [f'{kind}://{name}::{archive}' for name in names]
    # Opened here before the processes are forked, which must not share its position.
    _same_as_written(addresses[:4])
    context = multiprocessing.get_context('fork')
    halves = addresses[4:20:2], addresses[5:20:2]
    workers = [context.Process(target=_same_as_written, args=(half,)) for half in halves]
    for worker in workers:
        worker.start()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, addresses[20:])) == [content_of(one) for one in addresses[20:]]
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]


def test_lmdb_files_are_those_of_mmengine(bucket, tmp_path):
    from mmengine.fileio import LmdbBackend

    folder, names = tmp_path / 'set', ('a.jpg', 'photos/deep/b.jpg')
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 2000)
    packed = pack(tmp_path / 'set', 'lmdb', folder)
    bucket.put('set.lmdb/data.mdb', Path(packed, 'data.mdb').read_bytes())
    bucket.put('one.mdb', Path(packed, 'data.mdb').read_bytes())
    peer = LmdbBackend(packed)
    expected = {name: bytes(peer.get(name)) for name in names}
    # A process opens a file once.
    peer._client.close()
    stored = f's3://{bucket.name}'
    files = packed, f'{packed}/data.mdb', f'{stored}/set.lmdb', f'{stored}/one.mdb'
    for name in names:
        found = [read(f'lmdb://{name}::{file}') for file in files]
        assert found == [expected[name]] * len(files)
        assert read(f'lmdb://::{packed}/{name}') == expected[name]
    assert remote.list_folder(f'lmdb://photos::{packed}') == (['deep'], [])
    assert remote.is_dir(f'lmdb://photos::{packed}')
    assert not remote.is_file(f'lmdb://photos::{packed}')
    with pytest.raises(FileNotFoundError, match=f'lmdb://c.jpg::{packed}'):
        read(f'lmdb://c.jpg::{packed}')


@pytest.mark.parametrize('key', ['./photos/a.jpg', '/photos/a.jpg'])
def test_a_key_that_is_no_plain_path_is_found(bucket, tmp_path, key):
    lmdb = pytest.importorskip('lmdb')
    with lmdb.open(str(tmp_path / 'set.lmdb')) as file, file.begin(write=True) as writing:
        writing.put(key.encode(), b'photo')
    assert read(f'lmdb://photos/a.jpg::{tmp_path}/set.lmdb') == b'photo'


@pytest.mark.parametrize(
    'kind, content, message',
    [
        ('lmdb', b'x' * 9000, 'set.lmdb: cannot be read as a lmdb archive'),
        ('tar', b'x' * 9000, 'set.tar: cannot be read as a tar archive'),
        ('zip', b'x' * 9000, 'set.zip: cannot be read as a zip archive'),
        ('lmdb', None, 'set.lmdb: no such archive'),
    ],
)
def test_what_is_no_archive_is_named(bucket, tmp_path, kind, content, message):
    if content:
        (tmp_path / f'set.{kind}').write_bytes(content)
    with pytest.raises(UserError, match=message):
        read(f'{kind}://a.jpg::{tmp_path}/set.{kind}')


def test_a_file_of_another_archive_of_the_same_name_is_read_again(bucket, tmp_path):
    # As tools do that write archives which do not depend on the clock: no date, and one size.
    for number, content in enumerate((b'first', b'later')):
        with tarfile.open(tmp_path / 'set.tar', 'w') as archive:
            member = tarfile.TarInfo('a.bin')
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        os.utime(tmp_path / 'set.tar', (number, number))
        forget()
        assert read(f'tar://a.bin::{tmp_path}/set.tar') == content


def test_what_is_final_is_not_tried_again(bucket):
    address = f's3://{bucket.name}/gone.bin'
    with pytest.raises(FileNotFoundError):
        read(address)
    assert bucket.asked['HEAD gone.bin'] == 1
    bucket.put('a.bin', b'x')
    bucket.failing['a.bin'] = [403]
    with pytest.raises(UserError, match='refuses access'):
        read(f's3://{bucket.name}/a.bin')
    with pytest.raises(UserError, match='nosuchscheme'):
        read('nosuchscheme://b/a.bin')


def test_nothing_is_written_to_the_storage_or_its_copy():
    message = 's3://b/out.json: results are written to local folders'
    with pytest.raises(UserError, match=message), atomic_path(local_path('s3://b/out.json')):
        pass


def test_the_cache_stays_below_its_limit_and_keeps_what_was_used_last(bucket, monkeypatch):
    monkeypatch.setenv('TRASH_SEG_CACHE_GB', '0.00005')  # 50 kB
    monkeypatch.setattr(cache, 'IN_USE', 0)
    address = f's3://{bucket.name}'
    for number in range(20):
        bucket.put(f'{number}.bin', bytes([number]) * 10_000)
    sizes = []
    for number in range(20):
        assert read(f'{address}/{number}.bin') == bytes([number]) * 10_000
        read(f'{address}/0.bin')
        copies = Path(os.environ['TRASH_SEG_CACHE']).rglob('*.bin')
        sizes.append(sum(path.stat().st_size for path in copies))
    assert max(sizes) <= 50_000
    # One that was used all the time was never fetched again.
    assert bucket.asked['GET 0.bin'] == 1
    assert read(f'{address}/1.bin') == bytes([1]) * 10_000
    assert bucket.asked['GET 1.bin'] == 2


@pytest.mark.parametrize('text', ['0', 'nan', 'much', '-1'])
def test_a_limit_that_is_none_is_one_message(monkeypatch, text):
    monkeypatch.setenv('TRASH_SEG_CACHE_GB', text)
    with pytest.raises(UserError, match=f'TRASH_SEG_CACHE_GB={text}'):
        cache.size_limit()


def test_walk_and_patterns_find_what_local_ones_do(bucket, tmp_path):
    for name in ('a/x.json', 'a/y.txt', 'b/c/z.json', 'top.json'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    address = bucket.upload(tmp_path)
    place = Path(local_path(address))
    found = {
        Path(folder, name).relative_to(place).as_posix()
        for folder, _, names in remote.walk(address)
        for name in names
    }
    assert found == {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob('*') if p.is_file()}
    for pattern in ('*/*.json', '*.json', '*/*.none'):
        of_bucket = [path.relative_to(place) for path in remote.matches(f'{address}/{pattern}')]
        assert of_bucket == sorted(p.relative_to(tmp_path) for p in tmp_path.glob(pattern))
    assert remote.is_dir(f'{address}/b') and not remote.is_dir(f'{address}/top.json')
    assert remote.is_file(f'{address}/top.json') and not remote.is_file(f'{address}/b')


@pytest.fixture
def web(tmp_path, tmp_path_factory, monkeypatch):
    """A web server on a folder: its address, the folder, and the next statuses of a name."""
    pytest.importorskip('aiohttp', reason='needs aiohttp: pip install -e ".[remote]"')
    monkeypatch.setenv('TRASH_SEG_CACHE', str(tmp_path_factory.mktemp('cache')))
    monkeypatch.setattr(store, 'FIRST_PAUSE', 0.01)
    forget()
    failing, asked = {}, Counter()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def send_head(self):
            asked[f'{self.command} {self.path}'] += 1
            if statuses := failing.get(self.path):
                self.send_error(statuses.pop(0))
                return None
            return super().send_head()

        def log_message(self, *_):
            """Write nothing."""

    handler = partial(Handler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}', tmp_path, failing, asked
    server.shutdown()
    server.server_close()
    thread.join()
    forget()


def test_files_on_a_web_server(web):
    address, folder, failing, asked = web
    (folder / 'a.bin').write_bytes(b'first')
    failing['/a.bin'] = [500, 503, 500]
    assert [read(f'{address}/a.bin'), read(f'{address}/a.bin')] == [b'first'] * 2
    assert remote.is_file(f'{address}/a.bin') and not remote.is_file(f'{address}/b.bin')
    assert remote.is_dir(address) and not remote.is_dir(f'{address}/a.bin')
    number = asked['GET /a.bin']
    forget()
    assert (read(f'{address}/a.bin'), asked['GET /a.bin']) == (b'first', number)
    (folder / 'a.bin').write_bytes(b'another')
    forget()
    assert read(f'{address}/a.bin') == b'another'


@pytest.mark.parametrize(
    ('status', 'message'), [(403, 'refuses access'), (500, 'cannot be read after 5 tries')]
)
def test_a_web_server_that_fails_is_one_message(web, status, message):
    address, folder, failing, _ = web
    (folder / 'a.bin').write_bytes(b'x')
    failing['/a.bin'] = [status] * 99
    with pytest.raises(UserError, match=message) as caught:
        read(f'{address}/a.bin')
    assert '\n' not in str(caught.value)
    failing.clear()
    with pytest.raises(FileNotFoundError):
        read(f'{address}/gone.bin')


def test_a_web_server_lists_nothing(web):
    address, folder, _, _ = web
    (folder / 'a.jpg').write_bytes(b'x')
    assert remote.list_folder(address) is None
    for look in (lambda: list(remote.walk(address)), lambda: remote.matches(f'{address}/*.json')):
        with pytest.raises(UserError, match='a web server does not list its files'):
            look()
