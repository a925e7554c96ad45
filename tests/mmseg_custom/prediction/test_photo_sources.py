import cv2
import numpy as np
import pytest
from conftest import coco
from PIL import Image

from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.utils import UserError


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
        (['a.png', 'copy/a.png'], 'would both be written as a'),
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
