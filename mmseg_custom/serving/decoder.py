"""Decode photos in processes of their own, which a time limit can end."""

import contextlib
import io
import json
import multiprocessing
import queue
import signal
import threading
from dataclasses import asdict, replace
from multiprocessing.connection import Connection

import numpy as np

from .turnstile import Busy
from .upload import Limits, Upload, UploadError, read_upload

# A process that imports NumPy and OpenCV on a busy machine needs seconds before its first photo.
START_SECONDS = 60
# A photo is held as it is in the file and as RGB, beside what the imports take. WebP's decoder
# reserves (without using them) two canvases of up to 2^28 pixels before the header can be judged.
BYTES_PER_PIXEL, BASE_BYTES = 16, 3 << 30
CHANNELS = 3


class Decoder:
    """Decodes photos that come from anyone.

    A thread cannot be cancelled, and a small file can keep a decoder busy for minutes: each photo
    is decoded in a process, which is ended when the time is up.

    Args:
        limits: Limits of an upload.
        workers: Processes; each is started when it is first needed.
        seconds: Time limit for one photo.

    Example:
        >>> with Decoder(Limits(), seconds=5) as decode:
        ...     upload = decode(Path('photo.jpg').read_bytes())
    """

    def __init__(self, limits: Limits, workers: int = 2, seconds: float = 10):
        self._limits, self._seconds = limits, seconds
        self._closed, self._closing = False, threading.Lock()
        self._all = [_Worker(limits) for _ in range(workers)]
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for worker in self._all:
            self._idle.put(worker)

    def __call__(self, content: bytes, max_side: int | None = None) -> Upload:
        """Decode a photo; waits for an idle process.

        Args:
            content: The bytes of the file.
            max_side: Shrink to this instead of ``limits.max_side``, if it is smaller.

        Raises:
            Busy: :meth:`close` was called.
            UploadError: See :func:`~mmseg_custom.serving.upload.read_upload`; or decoding takes
                longer than ``seconds`` or more memory than the limits explain (413).
        """
        limits = self._limits
        if max_side:
            limits = replace(limits, max_side=min(max_side, limits.max_side))
        worker = self._idle.get()
        try:
            if self._closed:
                raise Busy
            return worker.decode(content, limits, self._seconds)
        except UploadError:
            if self._closed:
                raise Busy from None
            raise
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the processes; a photo that is being decoded is refused."""
        self._closed = True
        for worker in self._all:
            worker.kill()
        with self._closing:
            # Each comes back when the thread that uses it has seen the end.
            unused = [self._idle.get() for _ in self._all]
            for worker in unused:
                worker.end()
                self._idle.put(worker)

    def __enter__(self) -> 'Decoder':
        """Return itself."""
        return self

    def __exit__(self, *error) -> None:
        """Call :meth:`close`."""
        self.close()


class _Worker:
    """A process that decodes one photo at a time."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None
        self._lock, self._killed = threading.Lock(), False

    def kill(self) -> None:
        """End the process for good, from any thread; the one that decodes then calls ``end``."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def decode(self, content: bytes, limits: Limits, seconds: float) -> Upload:
        try:
            connection = self._started()
            connection.send_bytes(json.dumps(asdict(limits)).encode())
            connection.send_bytes(content)
            if not connection.poll(seconds):
                self.end()
                raise UploadError(f'the photo takes longer than {seconds:g} s to decode', 413)
            return _received(connection)
        except (EOFError, OSError):
            self.end()
            raise UploadError('the photo could not be decoded in bounded memory', 413) from None

    def _started(self) -> Connection:
        if self._process is None or not self._process.is_alive() or self._connection is None:
            context = multiprocessing.get_context('spawn')
            self._connection, theirs = context.Pipe()
            most = BASE_BYTES + BYTES_PER_PIXEL * self._limits.max_pixels
            with self._lock:
                if self._killed:
                    raise EOFError
                self._process = context.Process(target=_work, args=(theirs, most), daemon=True)
                self._process.start()
            theirs.close()
            if not self._connection.poll(START_SECONDS):
                raise EOFError
            self._connection.recv_bytes()
        return self._connection

    def end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _received(connection: Connection) -> Upload:
    """Read an answer: plain data, since what decoded hostile bytes is not trusted with pickles."""
    answer = json.loads(connection.recv_bytes())
    if 'problem' in answer:
        raise UploadError(answer['problem'], answer['status'])
    rows, columns = answer['shape']
    pixels = np.frombuffer(connection.recv_bytes(), np.uint8).reshape(rows, columns, CHANNELS)
    return Upload(pixels, answer['height'], answer['width'])


def _work(connection: Connection, most: int) -> None:
    """Decode what arrives until the other side closes the connection."""
    # A terminal sends Ctrl-C to all processes; the server ends this one itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _bound_memory(most)
    connection.send_bytes(b'ready')
    with contextlib.suppress(EOFError, OSError):
        while True:
            limits = Limits(**json.loads(connection.recv_bytes()))
            content = connection.recv_bytes()
            try:
                upload = read_upload(io.BytesIO(content), limits)
            except UploadError as error:
                answer = dict(problem=str(error), status=error.status)
                connection.send_bytes(json.dumps(answer).encode())
                continue
            size = dict(height=upload.height, width=upload.width, shape=upload.photo.shape[:2])
            connection.send_bytes(json.dumps(size).encode())
            connection.send_bytes(np.ascontiguousarray(upload.photo).tobytes())


def _bound_memory(most: int) -> None:
    """Let the system refuse memory beyond ``most`` bytes, where it can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
