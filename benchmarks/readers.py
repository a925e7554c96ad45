"""Photos a second from object storage and from tar files: this project's cache beside its peers.

Each reader gets the bytes of all photos twice in a process of its own, in one thread: first with
empty caches, then again. S3 is moto's server in another process of this machine. The peers are
not in any extra: pip install webdataset mosaicml-streaming; one that is missing is left out.
"""

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mmseg_custom import cli
from mmseg_custom.cli import positive_int

from .load import free_port

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / 'samples' / 'recycle_trash' / 'batch_01'
BUCKET, NAMES = 'readers', '{:06d}.jpg'
KEYS = dict(AWS_ACCESS_KEY_ID='test', AWS_SECRET_ACCESS_KEY='test', AWS_DEFAULT_REGION='us-east-1')
SERVER = (
    'from moto.server import ThreadedMotoServer as S; import sys, time; '
    's = S(port=int(sys.argv[1]), verbose=False); s.start(); time.sleep(10**6)'
)


def build_parser() -> cli.Parser:
    """Describe the command line."""
    parser = cli.Parser(
        prog='python -m benchmarks.readers',
        description='Measure readers of photos in object storage and in tar files.',
        example='python -m benchmarks.readers --photos 1000',
    )
    parser.add_argument('--photos', type=positive_int, default=1000, metavar='N')
    parser.add_argument('--out', default='work_dirs/readers.json', metavar='FILE')
    return parser


def run(args) -> None:
    """Write the photos in each reader's way, measure, print."""
    from mmseg_custom.utils import write_json

    found = {}
    with tempfile.TemporaryDirectory() as folder, s3_server() as address:
        os.environ |= KEYS | dict(AWS_ENDPOINT_URL=address, S3_ENDPOINT_URL=address)
        write_photos(Path(folder), args.photos)
        for name, (package, _) in READERS.items():
            if importlib.util.find_spec(package) is None:
                print(f'{name}: left out, {package} is not installed')
                continue
            found[name] = in_process(name, folder, args.photos)
            print(name, json.dumps(found[name]), flush=True)
    write_json(args.out, found)


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """Run moto's server; yields its address."""
    port = free_port()
    with open(os.devnull, 'w') as nowhere:
        server = subprocess.Popen([sys.executable, '-c', SERVER, str(port)], stderr=nowhere)
    try:
        while not answers(port):
            time.sleep(0.1)
        yield f'http://127.0.0.1:{port}'
    finally:
        server.terminate()
        server.wait()


def answers(port: int) -> bool:
    """Return whether something listens on a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(('127.0.0.1', port)) == 0


def write_photos(folder: Path, number: int) -> None:
    """Write the photos as files, as a tar file, and as MosaicML's shards, here and to S3."""
    import fsspec

    samples = [path.read_bytes() for path in sorted(SAMPLES.glob('*.jpg'))]
    (folder / 'set').mkdir()
    for place in range(number):
        (folder / 'set' / NAMES.format(place)).write_bytes(samples[place % len(samples)])
    with tarfile.open(folder / 'set.tar', 'w') as archive:
        for place in range(number):
            archive.add(folder / 'set' / NAMES.format(place), NAMES.format(place))
    if importlib.util.find_spec('streaming'):
        from streaming import MDSWriter

        with MDSWriter(out=str(folder / 'mds'), columns=dict(photo='bytes')) as writer:
            for place in range(number):
                writer.write(dict(photo=samples[place % len(samples)]))
    system = fsspec.filesystem('s3', use_listings_cache=False)
    system.makedirs(BUCKET, exist_ok=True)
    for path in folder.rglob('*'):
        if path.is_file():
            system.put_file(str(path), f'{BUCKET}/{path.relative_to(folder)}', ACL='public-read')


def in_process(name: str, folder: str, number: int) -> dict[str, float]:
    """Run one reader in a process of its own, with empty caches."""
    code = 'from benchmarks.readers import measure; import sys; measure(*sys.argv[1:])'
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, '-c', code, name, folder, cache, str(number)]
        environment = os.environ | dict(TRASH_SEG_CACHE=cache)
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def measure(name: str, folder: str, cache: str, number: str) -> None:
    """Read all photos twice, and print photos a second, and CPU milliseconds for one, as JSON."""
    read, found = READERS[name][1](folder, cache), {}
    for when in ('cold', 'warm'):
        start, before = time.perf_counter(), sum(os.times()[:4])
        sizes = [len(photo) for photo in read()]
        seconds, busy = time.perf_counter() - start, sum(os.times()[:4]) - before
        if len(sizes) != int(number) or min(sizes) < 1000:
            raise RuntimeError(f'{name}: read {len(sizes)} of {number} photos')
        found[f'{when}, photos/s'] = round(len(sizes) / seconds)
        found[f'{when}, CPU ms a photo'] = round(1000 * busy / len(sizes), 2)
    print(json.dumps(found))


def _ours(address: str) -> Callable:
    def reader(folder: str, cache: str) -> Callable:
        from mmseg_custom.utils.remote import fetched, list_folder, local_path

        top = local_path(address.format(folder=folder))

        def read() -> Iterator[bytes]:
            for name in list_folder(top)[1]:
                yield Path(fetched(os.path.join(top, name))).read_bytes()

        return read

    return reader


def _webdataset(address: str) -> Callable:
    def reader(folder: str, cache: str) -> Callable:
        import webdataset

        url = address.format(folder=folder, endpoint=os.environ['AWS_ENDPOINT_URL'])
        data = webdataset.WebDataset(url, shardshuffle=False, cache_dir=cache)
        return lambda: (sample['jpg'] for sample in data)

    return reader


def _streaming(remote: str) -> Callable:
    def reader(folder: str, cache: str) -> Callable:
        from streaming import StreamingDataset

        place = remote.format(folder=folder)
        data = StreamingDataset(remote=place, local=str(Path(cache, 'mds')), batch_size=1)
        return lambda: (sample['photo'] for sample in data)

    return reader


# The package that a reader needs, and what makes it.
READERS = {
    'S3, single files: ours': ('s3fs', _ours(f's3://{BUCKET}/set')),
    'S3, tar: ours': ('s3fs', _ours(f'tar://::s3://{BUCKET}/set.tar')),
    'S3, tar: webdataset': ('webdataset', _webdataset('{endpoint}/' + BUCKET + '/set.tar')),
    'S3, shards: MosaicML streaming': ('streaming', _streaming(f's3://{BUCKET}/mds')),
    'local tar: ours': ('fsspec', _ours('tar://::{folder}/set.tar')),
    'local tar: webdataset': ('webdataset', _webdataset('{folder}/set.tar')),
    'local shards: MosaicML streaming': ('streaming', _streaming('{folder}/mds')),
}

if __name__ == '__main__':
    cli.main(build_parser, run)
