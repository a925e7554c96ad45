import copy
import json
import shutil
import zipfile

import pytest
from conftest import call_tool
from hostile_inputs import fuzz, mutated
from hypothesis import example, given, settings
from PIL import Image
from pycocotools.coco import COCO

from mmseg_custom.formats import formats, read_set
from mmseg_custom.utils import UserError

TOOL = 'data_prep/convert.py'
XML = '<annotations><image id="0" name="a.jpg" width="9" height="8">{}</image></annotations>'
POLYGON = '<polygon label="Paper" points="1,1;6,1;6,6" z_order="0"/>'


def test_there_and_back_through_every_exact_format(real_sample, tmp_path, capsys):
    ann = real_sample / 'val.json'
    expected = COCO(str(ann))
    for name in ('labelme', 'cvat', 'yolo', 'label_studio', 'huggingface'):
        out, back = tmp_path / name, tmp_path / f'{name}.json'
        said = call_tool(capsys, TOOL, ann, out, '--to', name, '--photos', 'link').out
        assert 'COCO JSON (coco), 10 photos, 97 objects of 10 classes' in said
        assert 'cannot hold' not in said
        call_tool(capsys, TOOL, out, back, '--to', 'coco')
        found = COCO(str(back))
        assert [c['name'] for c in found.cats.values()] == [
            c['name'] for c in expected.cats.values()
        ]
        for image in found.imgs.values():
            (other,) = (o for o in expected.imgs.values() if o['file_name'] == image['file_name'])
            masks = [
                sorted(
                    (api.cats[a['category_id']]['name'], api.annToMask(a).tobytes())
                    for a in api.imgToAnns[key]
                )
                for api, key in ((found, image['id']), (expected, other['id']))
            ]
            assert masks[0] == masks[1]
            assert image['height'], image['width'] == (other['height'], other['width'])


def test_what_is_lost_is_counted_and_refused_before_anything_is_written(
    real_sample, tmp_path, capsys
):
    command = (TOOL, real_sample / 'val.json', tmp_path / 'out', '--to', 'voc')
    for options, code in (((), 2), (('--dry-run',), 0), (('--allow-loss',), 0)):
        said = call_tool(capsys, *command, *options, code=code)
        assert 'voc cannot hold everything: in 4 photos: 4 objects change' in said.out
        assert (code == 2) == ('--allow-loss' in said.err)
        assert (tmp_path / 'out').exists() == ('--allow-loss' in options)
    said = call_tool(capsys, *command, '--allow-loss', code=2)
    assert 'exists already' in said.err


def test_a_class_map_renames(real_sample, tmp_path, capsys):
    (tmp_path / 'map.yaml').write_text('Glass: Hard\nMetal: Hard\nPaper: ignore\n')
    out = tmp_path / 'out.json'
    options = ('--to', 'coco', '--class-map', tmp_path / 'map.yaml')
    call_tool(capsys, TOOL, real_sample / 'val.json', out, *options)
    names = [one['name'] for one in json.loads(out.read_text())['categories']]
    assert 'Hard' in names and not {'Glass', 'Metal', 'Paper'} & set(names)
    assert names[-1] == 'ignore'


def test_shapes_without_an_area_subsets_and_edges(tmp_path, capsys):
    image = '<image id="{}" name="a.jpg" subset="{}" width="9" height="8">{}</image>'
    line = '<polyline label="Paper" points="1,1;5,5"/>'
    outside = '<box label="Paper" xtl="4" ytl="4" xbr="12" ybr="7"/>'
    text = image.format(0, 'train', POLYGON + line) + image.format(1, 'val', outside)
    (tmp_path / 'a.xml').write_text(f'<annotations>{text}</annotations>')
    said = call_tool(capsys, TOOL, tmp_path / 'a.xml', tmp_path / 'o.json', '--to', 'coco').out
    assert '1 shapes that are polyline, without an area: left out' in said
    assert '1 objects reach beyond their photo: cut at its edge' in said
    found = COCO(str(tmp_path / 'o.json'))
    assert [one['file_name'] for one in found.imgs.values()] == ['train/a.jpg', 'val/a.jpg']
    assert found.annToMask(found.imgToAnns[2][0]).sum() == 5 * 3


def test_roboflows_folders_of_yolo(real_sample, tmp_path, capsys):
    photos = tmp_path / 'in' / 'train' / 'images'
    photos.mkdir(parents=True)
    shutil.copy(real_sample / 'batch_01' / '0003.jpg', photos / 'a b.jpg')
    labels = tmp_path / 'in' / 'train' / 'labels'
    labels.mkdir()
    (labels / 'a b.txt').write_text('1 0.25 0.25 0.75 0.25 0.75 0.75\n0 0.5 0.5 0.1 0.1\n')
    (tmp_path / 'in' / 'data.yaml').write_text('names: [Glass, 종이]\n')
    said = call_tool(capsys, TOOL, tmp_path / 'in', tmp_path / 'o.json', '--to', 'coco').out
    assert '1 shapes that are boxes without an outline: left out' in said
    content = json.loads((tmp_path / 'o.json').read_text())
    assert content['images'][0]['file_name'] == 'train/a b.jpg'
    assert [one['name'] for one in content['categories']] == ['Glass', '종이']


@pytest.mark.parametrize(
    ('url', 'name'),
    (
        ('/data/local-files/?d=%EC%82%AC%EC%A7%84/a%20b%2B1.jpg', '사진/a b+1.jpg'),
        ('/data/local-files/?d=storage/%EC%82%AC%EC%A7%84/a%20b%2B1.jpg', '사진/a b+1.jpg'),
        ('s3://bucket/%EC%82%AC%EC%A7%84/a%20b+1.jpg', '사진/a b+1.jpg'),
        ('/data/upload/7/0f1e2d3c-c.jpg', 'c.jpg'),
        ('https://somewhere/0f1e2d3c-missing.jpg?token=1', 'missing.jpg'),
    ),
)
def test_photos_of_label_studio_are_found(url, name, tmp_path, capsys):
    (tmp_path / '사진').mkdir()
    for photo in ('사진/a b+1.jpg', 'c.jpg'):
        Image.new('RGB', (9, 8)).save(tmp_path / photo)
    (task,) = copy.deepcopy(VALID['label_studio'])
    task['data']['image'] = url
    (tmp_path / 'in.json').write_text(json.dumps([task]))
    command = (TOOL, tmp_path / 'in.json', tmp_path / 'o.json', '--to', 'coco')
    said = call_tool(capsys, *command, '--data-root', tmp_path).out
    (image,) = json.loads((tmp_path / 'o.json').read_text())['images']
    assert image['file_name'] == name
    assert ('are not found' in said) == ('missing' in name)


def packed(path, files):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize('encoding', ('utf-8', 'cp949'))
def test_an_archive_is_unpacked_and_its_photos_are_kept(encoding, real_sample, tmp_path, capsys):
    photo = (real_sample / 'batch_01' / '0003.jpg').read_bytes()
    shape = dict(label='Paper', points=[[1, 1], [90, 1], [90, 90]], shape_type='polygon')
    label = dict(shapes=[shape], imagePath='사진.jpg', imageData=None)
    raw = '사진'.encode(encoding)
    place = 'Q' * len(raw)
    files = {f'set/{place}.jpg': photo, f'set/{place}.json': json.dumps(label)}
    path = packed(tmp_path / 'a.zip', files)
    # Old tools do not say which encoding a name has.
    path.write_bytes(path.read_bytes().replace(place.encode(), raw))
    call_tool(capsys, TOOL, path, tmp_path / 'out', '--to', 'coco')
    assert (tmp_path / 'out' / 'images' / '사진.jpg').read_bytes() == photo


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    (
        ('a.xml', '<!DOCTYPE a [<!ENTITY b "c">]>' + XML.format(POLYGON), 'document type'),
        ('a.xml', '<annotations><track id="0"/></annotations>', 'is an export for a video'),
        ('a.xml', XML.format('<mask label="P" rle="9" left="0" top="0" width="9999999" '
                             'height="9999999"/>'), 'does not fit into its photo'),
        ('a.xml', XML.format('<polygon label="P" points="1,1;x"/>'), 'is broken'),
        ('a.xml', XML.format(POLYGON).replace('"9"', '"999999999"'), 'pixels'),
        ('a.xml', XML.format(POLYGON).replace('a.jpg', '../a.jpg'), 'leads out of the set'),
        ('a.json', '[{"data": {"image": "a.jpg"}, "annotations": [{"result": [{"type": '
                   '"brushlabels", "original_width": 5, "original_height": 5, "value": {"rle": '
                   '[255, 255, 255, 255, 0, 0, 0, 0, 0], "brushlabels": ["P"]}}]}]}]',
         'a brush RLE of'),
        ('a.json', '{"a": 1}', 'looks like none of'),
        ('a.json', '[]', 'looks like none of'),
        ('a.json', '[[[', 'looks like none of'),
        ('a.json', '{"images": [], "annotations": [}', 'does not parse as JSON'),
    ),
)  # fmt: skip
def test_hostile_files_are_one_message(name, content, message, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    command = (TOOL, tmp_path / name, tmp_path / 'out', '--to', 'labelme')
    assert message in call_tool(capsys, *command, code=2).err
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('files', 'message'),
    (
        ({'../a.json': '{}'}, 'leads out of the set'),
        ({'C:\\a.json': '{}'}, 'leads out of the set'),
        ({'a.json': b'\0' * 2**25}, 'unpacks to'),
    ),
)
def test_hostile_archives_are_one_message(files, message, tmp_path, capsys):
    path = packed(tmp_path / 'a.zip', files)
    command = (TOOL, path, tmp_path / 'out', '--to', 'coco')
    assert message in call_tool(capsys, *command, code=2).err
    (tmp_path / 'b.zip').write_bytes(path.read_bytes()[:50])
    assert (
        'cannot be unpacked'
        in call_tool(capsys, TOOL, tmp_path / 'b.zip', *command[2:], code=2).err
    )


SHAPE = dict(label='P', points=[[1, 1], [6, 1], [6, 6]], shape_type='polygon', group_id=1)
VALID = {
    'labelme': dict(shapes=[SHAPE], imagePath='a.jpg', imageHeight=8, imageWidth=9),
    'label_studio': [
        dict(
            data=dict(image='a.jpg'),
            annotations=[
                dict(
                    result=[
                        dict(
                            type='polygonlabels',
                            original_width=9,
                            original_height=8,
                            value=dict(points=[[1, 1], [50, 1], [50, 50]], polygonlabels=['P']),
                        )
                    ]
                )
            ],
        )
    ],
}


@pytest.mark.parametrize('name', VALID)
def test_a_broken_file_is_read_or_is_one_message(name, tmp_path):
    path = tmp_path / 'a.json'

    @settings(fuzz, max_examples=fuzz.max_examples // 3)
    @given(mutated(VALID[name]))
    @example(VALID[name])
    def check(content):
        path.write_text(json.dumps(content))
        try:
            found = read_set(path, formats()[name])
            assert content != VALID[name] or found.objects == 1
        except UserError as error:
            assert content != VALID[name] and str(path) in str(error)

    check()
