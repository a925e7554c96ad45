"""A real S3 server (moto's) on the loopback, whose answers can be made to fail.

conftest.py imports the fixtures.
"""

import shutil
import threading
import time
from collections import Counter
from pathlib import Path

import pytest


class Faults:
    """WSGI in front of the server: counts what is asked for, and fails for some names.

    Attributes:
        asked: How often each method and key was asked for, such as ``'GET set/a.jpg'``.
        failing: By the end of a key, the faults of the next requests for it: ``500``, ``403``,
            ``'slow'`` or ``'cut'``.
    """

    def __init__(self, server):
        self.server = server
        self.asked: Counter[str] = Counter()
        self.failing: dict[str, list] = {}

    def clear(self) -> None:
        self.asked.clear()
        self.failing.clear()

    def __call__(self, environ, start_response):
        method, path = environ['REQUEST_METHOD'], environ['PATH_INFO']
        key = path.strip('/').partition('/')[2]
        self.asked[f'{method} {key}'] += 1
        faults = next((f for end, f in self.failing.items() if f and key.endswith(end)), None)
        fault = faults.pop(0) if faults and method == 'GET' else None
        if fault in (500, 403):
            start_response(f'{fault} Fault', [('Content-Length', '0')])
            return [b'']
        if fault == 'slow':
            time.sleep(3)
        answer = self.server(environ, start_response)
        return _first_half(answer) if fault == 'cut' else answer


def _first_half(answer):
    content = b''.join(answer)
    yield content[: len(content) // 2]
    raise ConnectionAbortedError('cut on purpose')


class Bucket:
    """One bucket of the server.

    Args:
        system: The ``s3fs`` file system of the test.
        faults: In front of the server.
        name: Of the bucket.
    """

    def __init__(self, system, faults: Faults, name: str):
        self.system, self.name = system, name
        self.asked, self.failing, self.clear = faults.asked, faults.failing, faults.clear

    def upload(self, folder: Path, name: str = 'set') -> str:
        """Copy a folder into the bucket, and return its address."""
        for path in folder.rglob('*'):
            if path.is_file():
                self.put(f'{name}/{path.relative_to(folder).as_posix()}', path.read_bytes())
        return f's3://{self.name}/{name}'

    def put(self, key: str, content: bytes) -> None:
        self.system.pipe_file(f'{self.name}/{key}', content)

    def delete(self, key: str) -> None:
        self.system.rm_file(f'{self.name}/{key}')


@pytest.fixture(scope='session')
def s3_server():
    """Start moto's server in this process; yields its address and the faults in front of it."""
    for package in ('moto', 's3fs', 'flask_cors'):
        pytest.importorskip(package, reason=f'needs {package}: pip install -e ".[remote,test]"')
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = 'HTTP/1.1'

        def log(self, *_):
            """Write nothing: a connection that is cut on purpose is a traceback."""

    faults = Faults(DomainDispatcherApplication(create_backend_app))
    server = make_server('127.0.0.1', 0, faults, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}', faults
    server.shutdown()
    thread.join()


@pytest.fixture
def bucket(s3_server, tmp_path_factory, monkeypatch):
    """An empty bucket, and an empty cache that this process and its children use."""
    import fsspec

    from mmseg_custom.utils.remote import store

    address, faults = s3_server
    for key, value in dict(
        AWS_ENDPOINT_URL=address,
        AWS_ACCESS_KEY_ID='test',
        AWS_SECRET_ACCESS_KEY='test',
        AWS_DEFAULT_REGION='us-east-1',
        AWS_EC2_METADATA_DISABLED='true',
        TRASH_SEG_CACHE=str(tmp_path_factory.mktemp('cache')),
    ).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(store, 'FIRST_PAUSE', 0.01)
    forget()
    name = f'b{time.time_ns()}'
    system = fsspec.filesystem('s3', use_listings_cache=False)
    system.mkdir(name)
    faults.clear()
    yield Bucket(system, faults, name)
    forget()


def forget() -> None:
    """Do as a new process: nothing was listed or compared."""
    from mmseg_custom.utils.remote import archives, files

    for known in (files._listings, files._folders, files._compared, archives._opened):
        known.clear()


def pack(place: Path, kind: str, folder: Path) -> str:
    """Pack a folder as its files' users do, and return the path of the archive."""
    if kind != 'lmdb':
        return shutil.make_archive(str(place), kind, folder)
    lmdb = pytest.importorskip('lmdb', reason='needs lmdb: pip install -e ".[remote,test]"')
    with lmdb.open(f'{place}.lmdb', map_size=1 << 28) as file, file.begin(write=True) as writing:
        for path in folder.rglob('*'):
            if path.is_file():
                writing.put(str(path.relative_to(folder)).encode(), path.read_bytes())
    return f'{place}.lmdb'
