"""Photos a second of the HTTP API, against calling the model in a loop."""

import http.client
import io
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from mmseg.registry import MODELS
from PIL import Image
from pycocotools import mask as coco_mask

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.experiment.config import load_config
from mmseg_custom.serving.api import create_app
from mmseg_custom.serving.server import listen, new_server
from mmseg_custom.serving.upload import Limits, read_upload
from mmseg_custom.toy.scene import draw_scene

from .timing import Comparison, compare

CONFIG = Path(__file__).resolve().parents[1] / 'configs' / 'upernet_swin_toy.py'
PHOTOS, SIDE, CLIENTS = 32, 512, 8


def run() -> Comparison:
    """Compare both on the same JPEG files; the masks are checked to be equal.

    Ours receives them from several clients at once, decodes them in other processes, and answers
    run lengths; the loop decodes them and keeps the masks.
    """
    photos = [_photo(number) for number in range(PHOTOS)]
    with tempfile.TemporaryDirectory() as folder:
        segmenter = _segmenter(Path(folder))
        with _serving(segmenter) as port, ThreadPoolExecutor(CLIENTS) as pool:

            def ours() -> list[dict]:
                return list(pool.map(lambda photo: _ask(port, photo), photos))

            def peer() -> list[np.ndarray]:
                limits = Limits(max_side=SIDE)
                uploads = (read_upload(io.BytesIO(photo), limits) for photo in photos)
                return [segmenter(upload.photo).mask for upload in uploads]

            for answer, mask in zip(ours(), peer(), strict=True):
                _require_equal(answer, mask)
            return compare(
                f'a photo through the HTTP API ({CLIENTS} clients, {SIDE}x{SIDE})',
                ours,
                'the model in a loop, decoding included',
                peer,
                PHOTOS,
                goal=1.15,
                rounds=3,
            )


def _photo(number: int) -> bytes:
    picture, _ = draw_scene((0, number), number, SIDE)
    file = io.BytesIO()
    Image.fromarray(picture[:, :, ::-1]).save(file, 'JPEG', quality=90)
    return file.getvalue()


def _segmenter(folder: Path) -> TrashSegmenter:
    torch.manual_seed(0)
    model = MODELS.build(load_config(str(CONFIG)).model)
    path = folder / 'random.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return TrashSegmenter(str(CONFIG), path, 'cpu')


@contextmanager
def _serving(segmenter: TrashSegmenter) -> Iterator[int]:
    with listen('127.0.0.1', 0) as listener:
        server = new_server(create_app(segmenter, Limits(max_side=SIDE)))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def _ask(port: int, photo: bytes) -> dict:
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=600)
    connection.request('POST', '/segment', photo, {'Content-Type': 'image/jpeg'})
    answer = json.load(connection.getresponse())
    connection.close()
    return answer


def _require_equal(answer: dict, mask: np.ndarray) -> None:
    """Raise when more than rounding in a batch of several differs."""
    seen = np.zeros_like(mask)
    for found in answer['found']:
        seen[coco_mask.decode(found['segmentation']) > 0] = found['category_id']
    assert (seen != mask).mean() < 0.01
