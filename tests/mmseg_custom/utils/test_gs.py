"""``gs://`` against an emulator of Google Cloud Storage; skipped where the extra is missing."""

import http.server
import threading
from pathlib import Path

import pytest
from object_store import forget
from serving import free_port

from mmseg_custom.utils import UserError, remote
from mmseg_custom.utils.addresses import address_of

REASON = 'needs gcsfs and gcp-storage-emulator: pip install -e ".[gcs]" gcp-storage-emulator'


@pytest.fixture
def storage(tmp_path_factory, monkeypatch):
    """Return a function that makes ``gs://`` that of a server on a port."""
    # Read when it is imported; it would ask Google's control server what kind the bucket is.
    monkeypatch.setenv('GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT', 'false')
    gcsfs = pytest.importorskip('gcsfs', reason=REASON)

    def at(port: int):
        monkeypatch.setenv('STORAGE_EMULATOR_HOST', f'http://127.0.0.1:{port}')
        gcsfs.GCSFileSystem.clear_instance_cache()
        return gcsfs.GCSFileSystem(use_listings_cache=False)

    monkeypatch.setenv('FSSPEC_GS_TOKEN', 'anon')
    monkeypatch.setenv('TRASH_SEG_CACHE', str(tmp_path_factory.mktemp('cache')))
    forget()
    yield at
    forget()
    gcsfs.GCSFileSystem.clear_instance_cache()


def test_files_are_found_fetched_and_fetched_again_when_they_have_changed(storage):
    server = pytest.importorskip('gcp_storage_emulator.server', reason=REASON)
    port = free_port()
    running = server.create_server('127.0.0.1', port, in_memory=True, default_bucket='b')
    running.start()
    try:
        system = storage(port)
        for name in ('ann.json', 'photos/a.jpg', 'photos/b.jpg'):
            system.pipe_file(f'b/set/{name}', name.encode())
        assert remote.is_dir('gs://b/set') and remote.is_file('gs://b/set/ann.json')
        assert not remote.is_file('gs://b/set/none.json')
        found = [(address_of(top), *rest) for top, *rest in remote.walk('gs://b/set')]
        assert found == [
            ('gs://b/set', ['photos'], ['ann.json']),
            ('gs://b/set/photos', [], ['a.jpg', 'b.jpg']),
        ]
        assert [path.name for path in remote.matches('gs://b/set/*/*.jpg')] == ['a.jpg', 'b.jpg']
        address = 'gs://b/set/photos/a.jpg'
        assert Path(remote.fetched(address)).read_bytes() == b'photos/a.jpg'
        system.pipe_file('b/set/photos/a.jpg', b'photos/A.jpg')
        forget()
        assert Path(remote.fetched(address)).read_bytes() == b'photos/A.jpg'
        forget()
        with pytest.raises(FileNotFoundError, match='gs://b/set/none.json'):
            remote.fetched('gs://b/set/none.json')
    finally:
        running.stop()


@pytest.mark.parametrize('status', [401, 403])
def test_refused_access_is_one_message_at_once(storage, status):
    asked = []

    class Refuses(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, *_):
            """Write nothing."""

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        storage(server.server_port)
        with pytest.raises(UserError, match='gs://b/a.jpg: the storage refuses access'):
            remote.fetched('gs://b/a.jpg')
        server.shutdown()
    assert len(asked) < 4
