"""A network camera over a drawn belt, which can vanish, hang and come back."""

import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from mmseg_custom.toy.belt import Belt

BOUNDARY = 'frame'
# Times of this many frames are kept.
REMEMBERED = 100_000


class BeltCamera:
    """Sends a belt as JPEG files in one HTTP answer that does not end (MJPEG), in real time.

    Args:
        belt: What is in front of it.
        rate: Frames a second.
        port: 0: any free one.

    Attributes:
        sent: Number of the frame, and when it was taken, in seconds of :func:`time.time`, of the
            latest frames.
    """

    def __init__(self, belt: Belt, rate: float = 5.0, port: int = 0):
        self.belt, self.rate = belt, rate
        self.sent: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._port, self._start = port, time.monotonic()
        self._server: ThreadingHTTPServer | None = None
        self._hangs = False
        self.appear()

    @property
    def url(self) -> str:
        """Its address."""
        return f'http://127.0.0.1:{self._port}/belt.mjpg'

    def appear(self) -> None:
        """Answer, the belt being where it would be by now."""
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._send(self)

            def log_message(self, *_) -> None:
                """Say nothing."""

        self._hangs = False
        self._server = ThreadingHTTPServer(('127.0.0.1', self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def vanish(self) -> None:
        """End all connections, and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def hang(self) -> None:
        """Keep connections, and send nothing more over them."""
        self._hangs = True

    def _send(self, handler: BaseHTTPRequestHandler) -> None:
        server = self._server
        handler.send_response(200)
        handler.send_header('Content-Type', f'multipart/x-mixed-replace; boundary={BOUNDARY}')
        handler.end_headers()
        number = int((time.monotonic() - self._start) * self.rate)
        while self._server is server:
            number += 1
            time.sleep(max(0.0, self._start + number / self.rate - time.monotonic()))
            if self._hangs:
                continue
            frame, _ = self.belt.frame(number)
            taken = time.time()
            jpeg = cv2.imencode('.jpg', frame[..., ::-1])[1].tobytes()
            head = (
                f'--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n'
            )
            try:
                handler.wfile.write(head.encode() + jpeg + b'\r\n')
            except OSError:
                return
            self.sent.append((number, taken))
