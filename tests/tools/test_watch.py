import json
import socket
import threading
import urllib.request

import av
import numpy as np
import pytest
from conftest import REAL, ROOT, call_tool
from PIL import Image
from serving import free_port

from benchmarks.belt_camera import BeltCamera
from mmseg_custom.classes import built_in
from mmseg_custom.coco.labelled_set import labelled_samples
from mmseg_custom.toy.belt import Belt, cut_out

TOOL = 'tools/watch.py'
MODEL = ROOT / 'weights' / 'trash11'


@pytest.fixture(scope='module')
def belt(tmp_path_factory):
    """A video of real photos that pass from right to left."""
    photos = sorted((REAL / 'batch_01').glob('*.jpg'))[:2]
    wide = np.concatenate([np.asarray(Image.open(photo).resize((160, 128))) for photo in photos], 1)
    path = tmp_path_factory.mktemp('belt') / 'belt.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=5)
        stream.width, stream.height = 160, 128
        for start in range(0, 160, 40):
            picture = np.ascontiguousarray(wide[:, start : start + 160])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(stream.encode(None))
    return path


def test_each_frame_of_a_video_has_a_line_and_a_picture(belt, tmp_path, capsys):
    out, video = tmp_path / 'out', tmp_path / 'seen.mp4'
    done = call_tool(capsys, TOOL, MODEL, belt, '--out', out, '--video', video)
    lines = [json.loads(line) for line in (out / 'frames.jsonl').read_text().splitlines()]
    assert [line['frame'] for line in lines] == [0, 1, 2, 3]
    assert all(abs(sum(line['areas'].values()) - 1) < 1e-2 for line in lines)
    assert any(line['objects'] for line in lines)
    counted = lines[-1]['counts']
    assert '4 frames, 0 dropped' in done.out
    assert all(f'{name} {count}' in done.out for name, count in counted.items())
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    assert len(frames) == 4
    assert frames[0].shape == (128, 160, 3)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['rtsp://127.0.0.1:1/none'], 'no such camera or stream'),
        (['0', '--smoothing', '0'], '1 is no smoothing'),
        ([], 'MODEL or SOURCE is missing'),
        (['0', '--host', '0.0.0.0'], 'add --page'),
        (['0', '--host', '0.0.0.0', '--page'], 'ask for a password: --keys FILE'),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, arguments, message):
    done = call_tool(capsys, TOOL, MODEL, *arguments, '--out', tmp_path / 'out', code=2)
    assert message in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('source', ['0', '/dev/video0', 'rtsp://camera/1'])
def test_predict_names_the_tool_for_cameras(tmp_path, capsys, source):
    done = call_tool(capsys, 'tools/predict.py', MODEL, source, '--out', tmp_path, code=2)
    assert 'tools/watch.py' in done.err


@pytest.mark.slow
def test_a_network_camera_is_counted_shown_and_recorded(tmp_path, capsys, monkeypatch):
    pytest.importorskip('fastapi')
    objects = cut_out(labelled_samples(str(REAL / 'val.json'), built_in()), built_in())
    camera = BeltCamera(Belt(objects, width=160, height=120), rate=10)
    port, seen, notified = free_port(), [], tmp_path / 'notified'

    def look():
        # The page ends with the tool: a frame is asked for until there is one, or the tool ends.
        while not seen and not has_ended.is_set():
            try:
                with urllib.request.urlopen(
                    f'http://127.0.0.1:{port}/live.mjpg', timeout=5
                ) as page:
                    seen.append(page.read(2000))
            except OSError:
                has_ended.wait(0.1)

    has_ended = threading.Event()
    viewer = threading.Thread(target=look)
    out, video = tmp_path / 'out', tmp_path / 'videos' / 'seen.mp4'
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(notified))
        manager.setblocking(False)
        monkeypatch.setenv('NOTIFY_SOCKET', str(notified))
        viewer.start()
        options = ['--video', video, '--page', '--port', port, '--frames', 8]
        done = call_tool(capsys, TOOL, MODEL, camera.url, '--out', out, *options)
        has_ended.set()
        viewer.join()
        messages = [manager.recv(1000).decode() for _ in range(10)]
    camera.vanish()
    lines = [json.loads(line) for line in (out / 'frames.jsonl').read_text().splitlines()]
    assert len(lines) == 8
    assert [line['frame'] for line in lines] == sorted({line['frame'] for line in lines})
    assert '8 frames' in done.out and f'http://127.0.0.1:{port}' in done.out
    assert seen and seen[0].startswith(b'--frame')
    with av.open(str(video.with_name('seen-000001.mp4'))) as container:
        assert len(list(container.decode(video=0))) == 8
    assert messages[0].startswith('READY=1') and messages[-1] == 'STOPPING=1'
    assert all(message.startswith('WATCHDOG=1') for message in messages[1:-1])
