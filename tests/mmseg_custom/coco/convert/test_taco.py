"""TACO's annotations become ours: every category, every ratio, nothing silently lost."""

import copy
import csv
import json
import shutil
from collections import Counter

import cv2
import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import convert_taco, find_problems, read_taco
from mmseg_custom.coco.class_map import with_class_map
from mmseg_custom.coco.convert import taco_photos
from mmseg_custom.coco.convert.taco import fitted_size, scale_annotation
from mmseg_custom.utils import UserError

CLASSES = built_in().names

TACO = ROOT.parent / 'shared' / 'data' / 'taco' / 'annotations.json'
CLASSES_CSV = ROOT / 'data_prep' / 'taco_classes.csv'
UPRIGHT, TURNED, ABSENT, CLEAR = 'b/upright.jpg', 'b/turned.JPG', 'b/absent.jpg', 'b/clear.png'
SIZES = {UPRIGHT: (80, 60), TURNED: (60, 80), ABSENT: (40, 40), CLEAR: (30, 99)}


@pytest.fixture
def taco():
    """TACO's real annotations; a test that needs them is skipped where they are missing."""
    if not TACO.is_file():
        pytest.skip(f'the annotations of TACO are not at {TACO}')
    return TACO


@pytest.fixture
def fake(tmp_path):
    """A TACO set of four photos, as ``(folder, content)``: one absent, one turned by its EXIF."""
    write_fake_photos(tmp_path / 'photos')
    content = fake_content()
    (tmp_path / 'annotations.json').write_text(json.dumps(content))
    return tmp_path, content


def fake_content():
    images = [
        dict(id=5 * i, file_name=name, width=width, height=height, license=f'L{i}', flickr_url=name)
        for i, (name, (width, height)) in enumerate(SIZES.items())
    ]
    # TACO itself has ids that occur twice.
    squares = [
        dict(id=1, image_id=image['id'], category_id=category, iscrowd=0, area=1, **polygon)
        for image in images
        for category, polygon in (
            (60, dict(segmentation=[[10, 20, 26, 20, 26, 36, 10, 36]])),
            (3, dict(segmentation=[[-1, 0, 9, 0, 9, 9, -1, 9], [1, 11, 5, 11, 5, 15]])),
            (3, dict(segmentation=[[7, 7, 7.1, 7, 7, 7.1]])),
        )
    ]
    return dict(
        info=dict(year=2019, description='TACO'),
        licenses=[dict(id='L1', name='CC BY 4.0')],
        images=images,
        annotations=squares,
        categories=[
            dict(id=60, name='Drink can', supercategory='Can'),
            dict(id=3, name='Crisp packet', supercategory='Plastic bag & wrapper'),
        ],
    )


def write_fake_photos(folder):
    (folder / 'b').mkdir(parents=True)
    for name in (UPRIGHT, TURNED, CLEAR):
        width, height = SIZES[name]
        picture = np.zeros((height, width, 3), np.uint8)
        picture[20:36, 10:26] = 255  # where the drink can is
        exif = Image.Exif()
        if name == TURNED:
            picture = np.rot90(picture)
            exif[0x0112] = 6  # to be shown turned clockwise
        Image.fromarray(picture).save(folder / name, 'PNG' if name == CLEAR else 'JPEG', exif=exif)


def mapped():
    return with_class_map(built_in(), CLASSES_CSV)


def convert(fake, **options):
    folder, _ = fake
    options = dict(photos=folder / 'photos', out=folder / 'out', size=40) | options
    return convert_taco(folder / 'annotations.json', classes=mapped(), **options)


def read_json(folder):
    return json.loads((folder / 'out' / 'train_all.json').read_text())


def test_every_category_has_one_class_and_a_reason(taco):
    with open(CLASSES_CSV, newline='') as file:
        rows = list(csv.DictReader(file))
    names = [category['name'] for category in json.loads(taco.read_text())['categories']]
    assert [row['taco_category'] for row in rows] == names
    assert len(set(names)) == 60
    assert {row['our_class'] for row in rows} == set(CLASSES[1:])
    assert all(len(row['why']) >= 5 for row in rows)


def test_real_taco_is_sound_and_its_counts_are_those_of_a_recount(taco, tmp_path):
    report = convert_taco(taco, None, tmp_path, mapped())
    content = json.loads((tmp_path / 'train_all.json').read_text())
    assert list(find_problems(content, built_in())) == []
    assert [c['id'] for c in content['categories']] == list(range(1, 11))
    assert report.skipped == [] and report.images == len(content['images']) == 1500
    original = json.loads(taco.read_text())
    with open(CLASSES_CSV, newline='') as file:
        our_class = {row['taco_category']: row['our_class'] for row in csv.DictReader(file)}
    name = {c['id']: c['name'] for c in original['categories']}
    wanted = Counter(our_class[name[a['category_id']]] for a in original['annotations'])
    found = Counter(CLASSES[a['category_id']] for a in content['annotations'])
    assert sum((wanted - found).values()) == report.vanished == 1
    assert not found - wanted
    for before, after in zip(original['images'], content['images'], strict=True):
        assert max(after['width'], after['height']) == 512
        ratio = before['width'] / before['height']
        assert abs(after['width'] - ratio * after['height']) <= max(0.5, ratio * 0.5) + 1e-9
        for key in ('file_name', 'license', 'flickr_url'):
            assert after[key] == before[key]


def test_areas_and_boxes_are_pycocotools(fake):
    convert(fake)
    api = COCO(str(fake[0] / 'out' / 'train_all.json'))
    for annotation in api.anns.values():
        rle = api.annToRLE(annotation)
        assert annotation['area'] == mask_utils.area(rle) > 0
        assert annotation['bbox'] == mask_utils.toBbox(rle).tolist()


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 600))
@settings(max_examples=100)
def test_the_longer_side_fits_and_no_side_is_nothing(width, height, size):
    new_width, new_height = fitted_size(width, height, size)
    assert max(new_width, new_height) == size
    assert min(new_width, new_height) >= 1
    assert (new_width >= new_height) == (width >= height) or new_width == new_height


@given(
    st.tuples(st.integers(50, 300), st.integers(50, 300)),
    st.tuples(st.integers(10, 80), st.integers(10, 80)),
    st.lists(st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1)), min_size=3, max_size=8),
)
@settings(max_examples=100)
def test_points_are_scaled_by_both_ratios_and_clipped(source, new, places):
    polygon = [value for x, y in places for value in (x * source[0], y * source[1])]
    scaled = scale_annotation(dict(segmentation=[polygon]), 4, source, new)
    if scaled is None:
        return
    points = np.reshape(scaled['segmentation'][0], (-1, 2))
    for (x, y), (got_x, got_y) in zip(places, points, strict=True):
        assert got_x == pytest.approx(min(max(x, 0), 1) * new[0], abs=1e-6)
        assert got_y == pytest.approx(min(max(y, 0), 1) * new[1], abs=1e-6)


def test_photos_and_annotations_lie_on_each_other_also_when_turned(fake):
    folder, _ = fake
    convert(fake)
    content = read_json(folder)
    assert [i['file_name'] for i in content['images']] == [UPRIGHT, TURNED, CLEAR]
    assert [i['license'] for i in content['images']] == ['L0', 'L1', 'L3']
    assert content['licenses'] == [dict(id='L1', name='CC BY 4.0')]
    api = COCO(str(folder / 'out' / 'train_all.json'))
    for image in content['images']:
        photo = cv2.imread(str(folder / 'out' / image['file_name']))
        assert photo.shape[:2] == (image['height'], image['width'])
        assert max(photo.shape) == 40
        can = next(a for a in api.imgToAnns[image['id']] if a['category_id'] == 4)
        rle, seen = api.annToRLE(can), np.asfortranarray(photo[..., 0] > 127, np.uint8)
        assert mask_utils.iou([rle], [mask_utils.encode(seen)], [0])[0, 0] > 0.7


def test_a_photo_annotated_as_it_is_stored_is_not_turned(fake):
    folder, content = fake
    turned = content['images'][1]
    turned['width'], turned['height'] = turned['height'], turned['width']
    (folder / 'annotations.json').write_text(json.dumps(content))
    convert(fake)
    stored = cv2.imread(str(folder / 'photos' / TURNED), cv2.IMREAD_IGNORE_ORIENTATION)
    photo = cv2.imread(str(folder / 'out' / TURNED), cv2.IMREAD_GRAYSCALE)
    wanted = cv2.resize(stored, (40, 30), interpolation=cv2.INTER_AREA)
    assert photo.shape == (30, 40)
    assert np.abs(photo.astype(int) - wanted).mean() < 5


def test_a_copy_of_lower_resolution_will_do(fake):
    folder, _ = fake
    photo = cv2.imread(str(folder / 'photos' / UPRIGHT))
    cv2.imwrite(str(folder / 'photos' / UPRIGHT), cv2.resize(photo, (53, 40)))
    assert UPRIGHT not in dict(convert(fake).skipped)


def test_what_is_left_out_is_counted_and_listed(fake):
    folder, _ = fake
    (folder / 'photos' / UPRIGHT).write_bytes(b'no photo')
    cv2.imwrite(str(folder / 'photos' / CLEAR), np.zeros((10, 10, 3), np.uint8))
    report = convert(fake)
    listed = [
        (UPRIGHT, 'is truncated or no image (accepted: JPEG, PNG, WEBP, BMP, TIFF)'),
        (ABSENT, 'absent'),
        (CLEAR, 'is 10x10, annotated as 30x99'),
    ]
    assert report.skipped == listed
    lines = (folder / 'out' / 'skipped.txt').read_text().splitlines()
    assert [tuple(line.split('\t')) for line in lines] == listed
    assert (report.images, report.annotations, report.vanished) == (1, 2, 1)
    convert(fake, photos=None)
    assert not (folder / 'out' / 'skipped.txt').exists()


def test_a_stopped_run_goes_on_and_leaves_no_annotations_behind(fake, monkeypatch):
    folder, _ = fake
    shrink = taco_photos.shrink_photo

    def stop(photo, photos, out):
        if photo.entry['file_name'] == CLEAR:
            raise KeyboardInterrupt
        return shrink(photo, photos, out)

    with monkeypatch.context() as patch:
        patch.setattr(taco_photos, 'shrink_photo', stop)
        with pytest.raises(KeyboardInterrupt):
            convert(fake)
    assert sorted(p.name for p in (folder / 'out').rglob('*.[jJ]*')) == [
        'provenance.json',
        'turned.JPG',
        'upright.jpg',
    ]
    # What is there is kept, even when its original is gone; another size is another photo.
    (folder / 'photos' / UPRIGHT).unlink()
    before = (folder / 'out' / UPRIGHT).stat().st_mtime_ns
    assert convert(fake).skipped == [(ABSENT, 'absent')]
    assert (folder / 'out' / UPRIGHT).stat().st_mtime_ns == before
    assert convert(fake, size=20).skipped == [(UPRIGHT, 'absent'), (ABSENT, 'absent')]
    assert cv2.imread(str(folder / 'out' / TURNED)).shape == (20, 15, 3)


def replace_original(folder, content):
    path = folder / 'photos' / UPRIGHT
    cv2.imwrite(str(path), 255 - cv2.imread(str(path)))


def replace_set(folder, content):
    """Another set, in another folder, has a photo of the same name and size."""
    shutil.copytree(folder / 'photos', folder / 'others')
    (folder / 'photos').rename(folder / 'first')
    (folder / 'others').rename(folder / 'photos')
    replace_original(folder, content)


def break_original(folder, content):
    (folder / 'photos' / UPRIGHT).write_bytes(b'no photo')


def other_annotations_without_the_original(folder, content):
    (folder / 'photos' / UPRIGHT).unlink()
    other = copy.deepcopy(content)
    other['annotations'][0]['segmentation'] = [[1, 1, 20, 1, 20, 20]]
    (folder / 'annotations.json').write_text(json.dumps(other))


@pytest.mark.parametrize(
    'change',
    [
        replace_original,
        replace_set,
        break_original,
        other_annotations_without_the_original,
    ],
)
def test_no_shrunk_photo_of_another_original_is_kept(fake, change):
    """What is there after a change is what a first run would write."""
    folder, content = fake
    convert(fake)
    change(folder, content)
    again, first = convert(fake), convert(fake, out=folder / 'fresh')
    assert again == first
    found, expected = (
        {p.relative_to(folder / out): p.read_bytes() for p in (folder / out).rglob('*.[jJpP]*[gG]')}
        for out in ('out', 'fresh')
    )
    assert found == expected


def test_one_run_and_two_give_the_same_bytes(fake):
    folder, _ = fake
    convert(fake)
    first = (folder / 'out' / 'train_all.json').read_bytes()
    convert(fake)
    assert (folder / 'out' / 'train_all.json').read_bytes() == first


def test_the_originals_and_the_annotations_of_others_are_safe(fake):
    folder, _ = fake
    with pytest.raises(UserError, match='original photos'):
        convert(fake, out=folder / 'photos')
    (folder / 'out').mkdir()
    for text in ('{"info": {"contributor": "Upstage"}}', '[]', '{"info'):
        (folder / 'out' / 'train_all.json').write_text(text)
        with pytest.raises(UserError, match='train_all.json.*would be lost'):
            convert(fake)
        assert (folder / 'out' / 'train_all.json').read_text() == text


def test_no_photo_at_all_is_a_mistake(fake, tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='not one usable photo of the 4.*absent.*download.py'):
        convert(fake, photos=tmp_path / 'empty')
    assert not (tmp_path / 'out' / 'train_all.json').exists()


def drop_annotations(content):
    del content['annotations']


def rename_category(content):
    content['categories'][1]['name'] = 'Space junk'


def lead_outside(content):
    content['images'][0]['file_name'] = '../x.jpg'


def add_rle(content):
    content['annotations'][0]['segmentation'] = dict(size=[60, 80], counts=[4800])


def swap_sizes(content):
    content['images'][0].update(width=20, height=80)


def spoil_categories(content):
    content['categories'] = 7


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (drop_annotations, 'has no "annotations"'),
        (rename_category, "'Space junk' \\(. annotations"),
        (lead_outside, 'leads out of the folder'),
        (add_rle, 'annotation 1 is an RLE'),
        (swap_sizes, 'annotation 1 .*outside the image'),
        (spoil_categories, 'lacks the list "categories"'),
    ],
)
def test_unsound_annotations_are_refused(spoil, message, fake):
    folder, content = fake
    content = copy.deepcopy(content)
    spoil(content)
    (folder / 'annotations.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match=f'(?s)annotations.json: .*{message}'):
        read_taco(folder / 'annotations.json', mapped())


def test_a_file_without_images_is_a_mistake(fake):
    folder, content = fake
    content = dict(content, images=[], annotations=[])
    (folder / 'annotations.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match='annotations.json: lists no image'):
        convert(fake)
