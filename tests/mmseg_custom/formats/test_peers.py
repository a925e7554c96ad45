"""What we write is read by the labeling tools' own packages, and the other way round.

``make install`` does not install them. Two ask for other versions of OpenCV and pandas than this
project: they are only tried where they were installed with ``--no-deps``.
"""

import importlib.util
import json
import os

import numpy as np
import pytest
from PIL import Image

from mmseg_custom.coco.segmentation import compact_segmentation, describe_mask
from mmseg_custom.formats import (
    LabeledObject,
    LabeledPhoto,
    PhotoSet,
    formats,
    read_set,
    write_set,
)
from mmseg_custom.formats.brush_rle import decode_brush, encode_brush

EXTRA = 'pip install -c constraints.txt -e ".[labeling]"'
ALONE = 'pip install --no-deps {}, and what it imports'
HEIGHT, WIDTH = 40, 60


def peer(name):
    os.environ.setdefault('QT_QPA_PLATFORM', 'offscreen')
    package = name.partition('.')[0]
    with_extra = package in ('cvat_sdk', 'datasets', 'labelme', 'supervision')
    how = EXTRA if with_extra else ALONE.format(package.replace('_', '-'))
    return pytest.importorskip(name, reason=f'{name} is missing: {how}', exc_type=ImportError)


@pytest.fixture
def photos(tmp_path):
    """A polygon, an object of two parts, one with a hole; overlapping, with confidences."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ring = ((x - 20) ** 2 + (y - 20) ** 2 < 200) & ((x - 20) ** 2 + (y - 20) ** 2 > 40)
    rle = compact_segmentation(describe_mask(ring)['segmentation'])
    two = (np.array([30.0, 2, 40, 2, 40, 12]), np.array([44.0, 20, 58, 22, 50, 38]))
    objects = (
        LabeledObject('Glass', rle, 0.75),
        LabeledObject('Paper', (np.array([5.0, 5, 25.5, 7, 22, 30, 6, 28]),), 0.5),
        LabeledObject('Paper', two, 0.25),
    )
    path = tmp_path / 'photos' / '사진 1.png'
    path.parent.mkdir()
    Image.new('RGB', (WIDTH, HEIGHT)).save(path)
    photo = LabeledPhoto('사진 1.png', HEIGHT, WIDTH, objects, path)
    return PhotoSet((photo,), ('Paper', 'Glass', 'Metal'))


def masks_of(photo):
    return [(one.name, photo.mask(one) > 0) for one in photo.objects]


def alike(mask, other):
    return np.count_nonzero(mask & other) / np.count_nonzero(mask | other)


def test_cvat_xml_in_datumaro(photos, tmp_path):
    dm = peer('datumaro')
    write_set(photos, formats()['cvat'], tmp_path / 'out', 'copy')
    found = dm.Dataset.import_from(str(tmp_path / 'out'), 'cvat')
    names = [label.name for label in found.categories()[dm.AnnotationType.label]]
    assert names == list(photos.names)
    (item,) = found
    assert item.id == '사진 1' and item.media.size == (HEIGHT, WIDTH)
    photo = photos.photos[0]
    shapes = sorted(item.annotations, key=lambda one: one.z_order)
    assert [names[one.label] for one in shapes] == ['Glass', 'Paper', 'Paper', 'Paper']
    assert [float(one.attributes['score']) for one in shapes] == [0.75, 0.5, 0.25, 0.25]
    assert np.array_equal(shapes[0].image, photo.mask(photo.objects[0]))
    polygons = [*photo.objects[1].segmentation, *photo.objects[2].segmentation]
    # Datumaro rounds to two digits.
    assert all(
        np.allclose(s.points, p, atol=0.01) for s, p in zip(shapes[1:], polygons, strict=True)
    )
    groups = [one.group for one in shapes]
    assert groups[2] == groups[3] != 0 and groups[:2] == [0, 0]


def test_cvat_masks_in_its_sdk(photos, tmp_path):
    masks = peer('cvat_sdk.masks')
    write_set(photos, formats()['cvat'], tmp_path / 'out.xml', 'none')
    text = (tmp_path / 'out.xml').read_text()
    box = text[text.index('<mask') :]
    left, top, width, height = (
        int(box.split(f'{key}="')[1].split('"')[0]) for key in ('left', 'top', 'width', 'height')
    )
    runs = [int(run) for run in box.split('rle="')[1].split('"')[0].split(',')]
    mask = photos.photos[0].mask(photos.photos[0].objects[0]) > 0
    corners = [left, top, left + width - 1, top + height - 1]
    assert [*runs, *corners] == masks.encode_mask(mask)


def test_labelme_opens_and_saves_it(photos, tmp_path):
    label_file, utils = peer('labelme._label_file'), peer('labelme.utils')
    out = tmp_path / 'out'
    write_set(photos, formats()['labelme'], out, 'copy')
    path = out / '사진 1.json'
    opened = label_file.LabelFile(str(path))
    assert [shape['label'] for shape in opened.shapes] == ['Glass', 'Paper', 'Paper', 'Paper']
    assert [s['other_data']['score'] for s in opened.shapes] == [0.75, 0.5, 0.25, 0.25]
    # Pillow, which labelme draws with, has another rule for the outline.
    mask = utils.shape_to_mask((HEIGHT, WIDTH), opened.shapes[1]['points'], 'polygon')
    ours = masks_of(photos.photos[0])[1][1]
    assert alike(ours, mask) > 0.9
    saved = json.loads(path.read_text())
    # As its AI tools draw: a mask of a box.
    ring = photos.photos[0].mask(photos.photos[0].objects[0])
    rows, columns = (np.flatnonzero(ring.any(axis=axis)) for axis in (1, 0))
    crop = ring[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    corners = [[columns[0], rows[0]], [columns[-1], rows[-1]]]
    saved['shapes'][0] |= dict(
        shape_type='mask', points=np.array(corners, float).tolist(),
        mask=utils.img_arr_to_b64(crop),
    )  # fmt: skip
    path.write_text(json.dumps(saved))
    assert label_file.LabelFile(str(path)).shapes[0]['mask'].sum() == ring.sum()
    found = read_set(out, formats()['labelme']).photos[0]
    for (name, mask), (other, expected) in zip(
        masks_of(found), masks_of(photos.photos[0]), strict=True
    ):
        assert name == other and np.array_equal(mask, expected)


@pytest.fixture
def brush():
    """Label Studio's own code, without the rest of its package."""
    spec = importlib.util.find_spec('label_studio_sdk')
    if spec is None:
        pytest.skip(f'label_studio_sdk is missing: {ALONE.format("label-studio-sdk")}')
    path = os.path.join(os.path.dirname(spec.origin), 'converter', 'brush.py')
    own = importlib.util.spec_from_file_location('label_studio_brush', path)
    module = importlib.util.module_from_spec(own)
    own.loader.exec_module(module)
    return module


@pytest.mark.parametrize('seed', range(4))
def test_brush_codes_are_label_studios(brush, seed):
    mask = np.random.default_rng(seed).random((17, 23)) < (0.02, 0.4, 0.98, 1)[seed]
    decoded = brush.decode_rle(encode_brush(mask)).reshape(17, 23, 4)
    assert np.array_equal(decoded[..., 3] > 0, mask)
    theirs = brush.encode_rle(np.repeat(mask.ravel() * np.uint8(255), 4))
    assert np.array_equal(decode_brush(theirs, 17, 23), mask)


def test_label_studio_tasks_in_its_converter(photos, tmp_path):
    converter = peer('label_studio_sdk.converter.converter')
    plain = [one.with_objects(one.objects[1:2]) for one in photos.photos]
    plain = PhotoSet(tuple(plain), photos.names)
    write_set(plain, formats()['label_studio'], tmp_path / 'tasks.json', 'none')
    tasks = json.loads((tmp_path / 'tasks.json').read_text())
    for number, task in enumerate(tasks, 1):
        task |= dict(id=number, annotations=[dict(id=1, **task.pop('predictions')[0])])
    (tmp_path / 'export.json').write_text(json.dumps(tasks))
    interface = (tmp_path / 'tasks.interface.xml').read_text()
    own = converter.Converter(interface, str(tmp_path), download_resources=False)
    own.convert_to_coco(str(tmp_path / 'export.json'), str(tmp_path / 'coco'), is_dir=False)
    (found,) = json.loads((tmp_path / 'coco' / 'result.json').read_text())['annotations']
    (polygon,) = plain.photos[0].objects[0].segmentation
    assert np.allclose(found['segmentation'][0], polygon, atol=1e-6)


def test_yolo_in_supervision(photos, tmp_path):
    sv = peer('supervision')
    out = tmp_path / 'out'
    write_set(photos, formats()['yolo'], out, 'copy')
    for path in (out / 'labels').iterdir():
        # It takes no confidence in a set.
        lines = [line.rsplit(' ', 1)[0] for line in path.read_text().splitlines()]
        path.write_text('\n'.join(lines))
    places = [str(out / name) for name in ('images', 'labels', 'data.yaml')]
    found = sv.DetectionDataset.from_yolo(*places, force_masks=True)
    assert found.classes == list(photos.names)
    (detections,) = found.annotations.values()
    for mask, label, (name, expected) in zip(
        detections.mask, detections.class_id, masks_of(photos.photos[0]), strict=True
    ):
        assert found.classes[label] == name
        # OpenCV, which it draws with, rounds corners and adds the outline.
        assert alike(mask, expected) > 0.75


def test_voc_masks_in_datumaro(photos, tmp_path):
    dm = peer('datumaro')
    held = [formats()['voc'].hold(photo) for photo in photos.photos]
    write_set(photos, formats()['voc'], tmp_path / 'out', 'copy')
    found = dm.Dataset.import_from(str(tmp_path / 'out'), 'voc_segmentation')
    names = [label.name for label in found.categories()[dm.AnnotationType.label]]
    (item,) = found
    theirs = [(names[one.label], np.asarray(one.image) > 0) for one in item.annotations]
    for (name, mask), (other, expected) in zip(
        sorted(theirs, key=lambda pair: pair[1].tobytes()),
        sorted(masks_of(held[0]), key=lambda pair: pair[1].tobytes()),
        strict=True,
    ):
        assert name == other and np.array_equal(mask, expected)


def test_an_image_folder_in_datasets(photos, tmp_path):
    datasets = peer('datasets')
    write_set(photos, formats()['huggingface'], tmp_path / 'out', 'copy')
    builder = datasets.load_dataset(
        'imagefolder', data_dir=str(tmp_path / 'out'), cache_dir=str(tmp_path / 'cache')
    )
    row = builder['train'][0]
    assert row['image'].size == (WIDTH, HEIGHT)
    photo = photos.photos[0]
    codes = [photo.rle(one)['counts'].decode() for one in photo.objects]
    assert row['objects']['segmentation'] == codes
    assert row['objects']['score'] == [0.75, 0.5, 0.25]
