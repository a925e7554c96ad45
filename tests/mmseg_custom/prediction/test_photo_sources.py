import re
import struct
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from conftest import ROOT, coco
from PIL import Image

from mmseg_custom.prediction import video
from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.utils import UserError
from mmseg_custom.utils.provenance import Provenance


def save(path, value=0, size=(8, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, (value, 0, 0)).save(path)
    return path


def test_files_folders_and_coco_files(tmp_path, small_set):
    save(tmp_path / 'f' / 'b' / 'x.JPG')
    save(tmp_path / 'f' / 'a.png', 7)
    (tmp_path / 'f' / 'notes.txt').write_text('')
    save(tmp_path / 'f' / '.hidden.png')
    image = dict(id=3, file_name='batch/q.png', height=5, width=4)
    ann = small_set(coco([image], []))
    photos = list_photos([tmp_path / 'f', save(tmp_path / 'one.png'), ann])
    assert [photo.file_name for photo in photos] == ['a.png', 'b/x.JPG', 'one.png', 'batch/q.png']
    assert [photo.name for photo in photos] == ['a', 'b/x', 'one', 'batch/q']
    assert photos[3].image == image
    assert photos[0].read().shape == (6, 8, 3)
    assert (photos[0].read() == (7, 0, 0)).all()
    assert photos[3].read().shape == (5, 4, 3)


def test_frames_of_a_video(tmp_path):
    path = tmp_path / 'v.avi'
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5, (32, 24))
    for number in range(7):
        video.write(np.full((24, 32, 3), 30 * number, np.uint8))
    video.release()
    photos = list_photos([path], every=3)
    assert [photo.name for photo in photos] == ['v/000000', 'v/000003', 'v/000006']
    assert [round(float(photo.read().mean()), -1) for photo in photos] == [0, 90, 180]


@pytest.mark.parametrize(
    ('inputs', 'message'),
    [
        (['gone.jpg'], 'no such file or folder'),
        (['notes.txt'], 'neither a photo, a folder'),
        (['empty'], 'no photo found'),
        (['a.png', 'a.png'], 'would both be written as a'),
        (['cut.mp4'], 'cannot be read as a video'),
    ],
)
def test_mistakes_are_told(tmp_path, inputs, message):
    save(tmp_path / 'a.png')
    save(tmp_path / 'copy' / 'a.png')
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'notes.txt').write_text('')
    (tmp_path / 'cut.mp4').write_bytes(b'nothing')
    with pytest.raises(UserError, match=message):
        list_photos([tmp_path / name for name in inputs])


def test_names_do_not_lead_out_of_the_results(tmp_path):
    import json

    content = coco([dict(id=0, file_name='../x.png', height=4, width=4)], [])
    (tmp_path / 'a.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match='leads out of the folder'):
        list_photos([tmp_path / 'a.json'])


CASES = ROOT.parent / 'shared' / 'cases'
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f'the videos are not at {CASES}')
# Frame i of both ramps has the gray level 20 + 5 i.
RAMPS = {
    'video_without_first_key_frame.mp4': range(12, 40),
    'video_variable_rate.mkv': range(40),
}


def write_video(path, values, codec='MJPG', rate=5):
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, (32, 24))
    for value in values:
        video.write(np.full((24, 32, 3), value, np.uint8))
    video.release()


@needs_cases
@pytest.mark.parametrize('name', RAMPS)
@pytest.mark.parametrize('every', [1, 3])
@pytest.mark.parametrize('order', [1, -1])
def test_frames_are_named_by_their_place_on_the_time_line(name, every, order):
    photos = list_photos([CASES / name], every=every)
    numbers = list(RAMPS[name])[::every]
    assert [photo.name for photo in photos] == [f'{name[:-4]}/{n:06d}' for n in numbers]
    assert [photo.file_name for photo in photos] == [f'{name}#{n:06d}' for n in numbers]
    for photo, number in list(zip(photos, numbers, strict=True))[::order]:
        assert abs(photo.read().mean() - 20 - 5 * number) < 2.5


@needs_cases
def test_time_stamps_are_those_of_the_file():
    photos = list_photos([CASES / 'video_without_first_key_frame.mp4'])
    seconds = [photo.frame.seconds for photo in photos]
    assert seconds == pytest.approx([number / 30 for number in range(12, 40)])
    photos = list_photos([CASES / 'video_variable_rate.mkv'])
    video = cv2.VideoCapture(str(CASES / 'video_variable_rate.mkv'))
    for photo in photos:
        assert video.read()[0]
        assert photo.frame.seconds * 1000 == pytest.approx(video.get(cv2.CAP_PROP_POS_MSEC))


def test_threads_decode_each_frame_once_and_keep_few(tmp_path, monkeypatch):
    write_video(tmp_path / 'v.avi', [3 * number for number in range(80)])
    photos = list_photos([tmp_path / 'v.avi'])
    decoded = []
    monkeypatch.setattr(video, '_decode', counting(video._decode, decoded))
    reader = photos[0].video
    reader._restart()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda photo: photo.read().mean(), photos[40:]))
    assert found == pytest.approx([3 * number for number in range(40, 80)], abs=3)
    assert len(decoded) == 80
    assert len(reader._passed) <= video.KEPT


def counting(decode, decoded):
    def counted(path):
        for frame in decode(path):
            decoded.append(frame.pts)
            yield frame

    return counted


def test_a_damaged_packet_costs_its_own_frames_only(tmp_path):
    path = tmp_path / 'v.avi'
    write_video(path, [10 * number for number in range(20)])
    content = bytearray(path.read_bytes())
    start = [m.start() for m in re.finditer(b'00dc....\xff\xd8', bytes(content), re.DOTALL)][5]
    content[start + 8 : start + 200] = bytes(192)
    path.write_bytes(content)
    photos = list_photos([path])
    assert [photo.frame.number for photo in photos] == [n for n in range(20) if n != 5]
    for photo in photos:
        assert photo.read().mean() == pytest.approx(10 * photo.frame.number, abs=3)


def test_a_rotated_video_is_shown_upright(tmp_path):
    path = tmp_path / 'v.mp4'
    write = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 5, (32, 24))
    picture = np.zeros((24, 32, 3), np.uint8)
    picture[:8, :8] = 255
    for _ in range(3):
        write.write(picture)
    write.release()
    content = bytearray(path.read_bytes())
    # The matrix of the track's header (ISO/IEC 14496-12): a quarter turn with the clock.
    place = content.index(b'tkhd') + 4 + 40
    turn = [0, 1 << 16, 0, -1 << 16, 0, 0, 24 << 16, 0, 1 << 30]
    content[place : place + 36] = struct.pack('>9i', *turn)
    path.write_bytes(content)
    found = list_photos([path])[0].read()
    _, expected = cv2.VideoCapture(str(path)).read()
    assert found.shape == expected.shape == (32, 24, 3)
    assert np.abs(found.astype(int) - expected[..., ::-1]).mean() < 5


def test_same_names_in_two_inputs_are_told_apart(tmp_path):
    for folder in ('a', 'b'):
        save(tmp_path / folder / 'x.png')
    photos = list_photos([tmp_path / 'a', tmp_path / 'b'])
    assert [photo.name for photo in photos] == ['a/x', 'b/x']
    assert [photo.file_name for photo in photos] == ['a/x.png', 'b/x.png']


def test_outputs_are_no_inputs(tmp_path, capsys):
    save(tmp_path / 'x.png')
    save(tmp_path / 'out' / 'masks' / 'x.png')
    save(tmp_path / 'earlier' / 'masks' / 'x.png')
    Provenance(tmp_path / 'earlier' / 'provenance.json', 'predict', {}).save()
    drawn = Provenance(tmp_path / 'drawn' / 'provenance.json', 'draw', {}, are_results=False)
    drawn.save()
    save(tmp_path / 'drawn' / 'y.png')
    photos = list_photos([tmp_path], outputs=[tmp_path / 'out'])
    assert [photo.file_name for photo in photos] == ['drawn/y.png', 'x.png']
    assert capsys.readouterr().out.count('holds results, no photos: left out') == 2
