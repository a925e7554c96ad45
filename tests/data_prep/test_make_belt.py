import json

import av
from conftest import REAL, call_tool
from pycocotools.coco import COCO

TOOL = 'data_prep/make_belt.py'


def test_the_belt_shows_an_object_of_each_photo_and_says_which(tmp_path, capsys):
    ann = REAL / 'val.json'
    out = tmp_path / 'belt.mp4'
    done = call_tool(capsys, TOOL, ann, '--out', out, '--width', 160, '--height', 120, '--rate', 10)
    truth = json.loads(out.with_suffix('.json').read_text())
    with av.open(str(out)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == truth['frames']
    assert (frames[0].width, frames[0].height) == (160, 120)
    assert abs(float(frames[-1].pts * frames[-1].time_base) - (len(frames) - 1) / 10) < 0.2
    coco = COCO(str(ann))
    names = {category['id']: category['name'] for category in coco.loadCats(coco.getCatIds())}
    photos = [
        {names[one['category_id']] for one in coco.loadAnns(coco.getAnnIds(number))}
        for number in coco.getImgIds()
    ]
    assert len(truth['passing']) == len(photos) == 10
    assert all(name in photo for name, photo in zip(truth['passing'], photos, strict=True))
    assert sum(truth['counts'].values()) == 10
    assert '10 objects' in done.out


def test_photos_without_an_object_are_one_message(tmp_path, capsys):
    content = json.loads((REAL / 'val.json').read_text())
    image = content['images'][0]
    corner = dict(
        content['annotations'][0], image_id=image['id'], segmentation=[[0, 0, 9, 0, 9, 9]]
    )
    ann = tmp_path / 'few.json'
    ann.write_text(json.dumps(dict(content, images=[image], annotations=[corner])))
    arguments = [ann, '--data-root', REAL, '--out', tmp_path / 'belt.mp4']
    done = call_tool(capsys, TOOL, *arguments, code=2)
    assert 'no photo has an object' in done.err
    assert [path.name for path in tmp_path.iterdir()] == ['few.json']
