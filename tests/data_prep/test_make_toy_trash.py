"""The drawn set is what it says: the contest's layout, every form of annotation, same bytes."""

import json
import runpy
from collections import Counter

import numpy as np
import pytest
from conftest import ROOT, tool
from PIL import Image
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import find_problems, pixel_counts
from mmseg_custom.toy import dataset, scene, write_toy_set
from mmseg_custom.toy.dataset import MIN_SIZE
from mmseg_custom.toy.scene import annotate, draw_scene
from mmseg_custom.utils import UserError


def read(path):
    return json.loads(path.read_text())


def contents(folder) -> dict[str, bytes]:
    files = (path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope='module')
def default_annotations(tmp_path_factory):
    """The annotations of the default numbers of photos, which are small here."""
    folder = tmp_path_factory.mktemp('default')
    write_toy_set(folder, size=48)
    return folder


def test_layout_is_the_contests(toy_set):
    whole, train, val, test = (
        read(toy_set / f'{name}.json') for name in ('train_all', 'train', 'val', 'test')
    )
    assert list(whole) == ['info', 'licenses', 'images', 'categories', 'annotations']
    assert [c['id'] for c in whole['categories']] == list(range(1, 11))
    assert [len(c['images']) for c in (whole, train, val, test)] == [31, 24, 7, 3]
    assert len(whole['annotations']) == len(train['annotations']) + len(val['annotations'])
    assert test['annotations'] == []
    for content in (whole, train, val, test):
        assert [image['id'] for image in content['images']] == list(range(len(content['images'])))
        assert [a['id'] for a in content['annotations']] == list(range(len(content['annotations'])))
        assert list(find_problems(content, built_in())) == []
    for image in whole['images'] + test['images']:
        assert Image.open(toy_set / image['file_name']).size == (64, 64)
        assert image['file_name'].startswith('batch_0')


def test_the_same_options_give_the_same_bytes_and_other_seeds_others(tmp_path):
    for name, seed in (('a', 0), ('b', 0), ('c', 1)):
        write_toy_set(tmp_path / name, train=5, val=2, test=1, size=48, seed=seed)
    first, second, third = (contents(tmp_path / name) for name in 'abc')
    assert first == second
    assert first['batch_01/0000.jpg'] != third['batch_01/0000.jpg']


def test_a_photo_does_not_depend_on_how_many_there_are(tmp_path):
    write_toy_set(tmp_path / 'few', train=3, val=2, test=1, size=48)
    write_toy_set(tmp_path / 'many', train=6, val=3, test=2, size=48)
    few, many = contents(tmp_path / 'few'), contents(tmp_path / 'many')
    photos = [name for name in few if name.endswith('.jpg')]
    assert len(photos) == 6
    assert all(few[name] == many[name] for name in photos)


def test_a_set_that_is_there_is_kept_and_an_interrupted_one_drawn_anew(tmp_path):
    options = dict(train=2, val=1, test=1, size=48)
    assert write_toy_set(tmp_path, **options)
    assert not write_toy_set(tmp_path, **options)
    assert write_toy_set(tmp_path, **options, force=True)
    with pytest.raises(UserError, match='seed: was 0, is 1'):
        write_toy_set(tmp_path, **options, seed=1)
    assert write_toy_set(tmp_path, **options, seed=1, force=True)
    (tmp_path / 'provenance.json').unlink()
    assert write_toy_set(tmp_path, **options, seed=1)


def test_annotations_measure_what_pycocotools_measures(toy_set):
    api = COCO(str(toy_set / 'train_all.json'))
    for annotation in api.anns.values():
        rle = api.annToRLE(annotation)
        assert annotation['area'] == mask_utils.area(rle)
        assert annotation['bbox'] == mask_utils.toBbox(rle).tolist()
        assert annotation['area'] > 0


def test_every_form_of_annotation_occurs(default_annotations):
    content = read(default_annotations / 'train_all.json')
    forms = Counter()
    for annotation in content['annotations']:
        segmentation = annotation['segmentation']
        if isinstance(segmentation, list):
            forms['several polygons' if len(segmentation) > 1 else 'polygon'] += 1
        elif isinstance(segmentation['counts'], list):
            assert annotation['iscrowd'] == 1
            forms['crowd'] += 1
        else:
            forms['compressed RLE'] += 1
    assert set(forms) == {'several polygons', 'polygon', 'crowd', 'compressed RLE'}
    assert forms['polygon'] > sum(forms.values()) / 2
    labelled = {annotation['image_id'] for annotation in content['annotations']}
    without = len(content['images']) - len(labelled)
    assert 0.02 < without / len(content['images']) < 0.1


def test_there_is_a_long_tail_that_every_split_has(default_annotations):
    photos_with = Counter()
    for name in ('train', 'val'):
        content = read(default_annotations / f'{name}.json')
        seen = {(a['image_id'], a['category_id']) for a in content['annotations']}
        in_split = Counter(category for _, category in seen)
        assert set(in_split) == set(range(1, 11))
        photos_with += in_split
    common = photos_with.most_common()
    assert {category for category, _ in common[-2:]} == {9, 10}
    assert common[0][1] > 6 * common[-1][1]
    pixels = pixel_counts(read(default_annotations / 'train_all.json'), built_in()).sum(axis=0)
    shares = pixels / pixels.sum()
    assert 0.6 < shares[0] < 0.8
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize('size', [32, 48])
def test_rare_classes_are_forced_whatever_the_seed(size):
    for seed in range(30):
        for split in (0, 1):
            for index, label in scene.FORCED.items():
                _, annotations = draw_scene((seed, split, index), index, size)
                assert label in {a['category_id'] for a in annotations}, (seed, split, index)


def test_a_shadow_does_not_come_back_on_the_other_side():
    picture = np.full((60, 60, 3), 100, np.float32)
    mask = np.zeros((60, 60), bool)
    mask[50:, 20:40] = True
    scene._cast_shadow(picture, mask, 60)
    assert picture[:40].min() > 99


def test_a_hole_stays_a_hole():
    rows, columns = np.mgrid[:40, :40]
    distance = np.hypot(rows - 20, columns - 20)
    ring = (distance < 15) & (distance > 7)
    segmentation = annotate(5, ring, is_crowd=False)['segmentation']
    np.testing.assert_array_equal(mask_utils.decode(segmentation).astype(bool), ring)


def test_polygons_follow_what_was_drawn():
    rows, columns = np.mgrid[:60, :60]
    disc = np.hypot(rows - 31.3, columns - 27.8) < 19
    polygons = annotate(6, disc, is_crowd=False)['segmentation']
    drawn = mask_utils.merge(mask_utils.frPyObjects(polygons, 60, 60))
    truth = mask_utils.encode(np.asfortranarray(disc, np.uint8))
    assert mask_utils.iou([drawn], [truth], [0])[0, 0] > 0.95


def test_annotations_follow_what_can_be_seen(monkeypatch):
    seen = []

    def note(label, mask, is_crowd):
        annotation = annotate(label, mask, is_crowd)
        seen.append((mask, annotation))
        return annotation

    monkeypatch.setattr(scene, 'annotate', note)
    for index in range(30):
        draw_scene((0, 0, index), index, 96)
    assert len(seen) > 60
    for mask, annotation in seen:
        segmentation = annotation['segmentation']
        if isinstance(segmentation, list):
            rle = mask_utils.merge(mask_utils.frPyObjects(segmentation, 96, 96))
        elif annotation['iscrowd']:
            rle = mask_utils.frPyObjects(segmentation, 96, 96)
        else:
            rle = segmentation
        painted = mask_utils.decode(rle).astype(bool)
        if mask.sum() > 100:
            assert (painted & mask).sum() >= 0.9 * (painted | mask).sum()


def test_a_scene_is_a_photo():
    picture, annotations = draw_scene((0, 0, 0), 0, 96)
    assert (picture.shape, picture.dtype) == ((96, 96, 3), np.uint8)
    assert picture.std() > 10
    assert annotations


def test_too_small_photos_are_refused_in_one_line(tmp_path):
    done = tool('data_prep/make_toy_trash.py', '--out', tmp_path, '--size', 8, code=2)
    assert '32 or more' in done.stderr.splitlines()[-1]
    assert 'Traceback' not in done.stderr
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match='32 or more'):
        write_toy_set(tmp_path, size=31)


def test_the_tool_and_the_library_agree_on_the_smallest_size():
    assert runpy.run_path(str(ROOT / 'data_prep/make_toy_trash.py'))['MIN_SIZE'] == MIN_SIZE


@pytest.mark.parametrize('name', ['val.json', 'batch_01/0001.jpg', 'batch_03/0000.jpg'])
def test_a_set_that_lost_a_file_is_drawn_anew(name, tmp_path):
    options = dict(train=2, val=1, test=1, size=48)
    write_toy_set(tmp_path, **options)
    before = contents(tmp_path)
    (tmp_path / name).unlink()
    assert write_toy_set(tmp_path, **options)
    assert contents(tmp_path) == before


def test_a_damaged_provenance_is_refused(tmp_path):
    options = dict(train=1, val=0, test=0, size=48)
    write_toy_set(tmp_path, **options)
    (tmp_path / 'provenance.json').write_text('{"ver')
    with pytest.raises(UserError, match='is damaged'):
        write_toy_set(tmp_path, **options)
    assert write_toy_set(tmp_path, **options, force=True)


def test_an_interrupted_drawing_leaves_no_record_and_is_done_anew(tmp_path, monkeypatch):
    options = dict(train=3, val=1, test=1, size=48)
    write_toy_set(tmp_path / 'whole', **options)

    def stop(place, index, size):
        if index == 2:
            raise KeyboardInterrupt
        return draw_scene(place, index, size)

    with monkeypatch.context() as patch:
        patch.setattr(dataset, 'draw_scene', stop)
        with pytest.raises(KeyboardInterrupt):
            write_toy_set(tmp_path / 'cut', **options)
    assert not (tmp_path / 'cut' / 'provenance.json').exists()
    assert write_toy_set(tmp_path / 'cut', **options)
    assert contents(tmp_path / 'cut') == contents(tmp_path / 'whole')


@pytest.mark.parametrize('text', ['{"info": {"contributor": "Upstage"}}', '{"images": []}', '[]'])
@pytest.mark.parametrize('force', [False, True])
def test_data_of_others_is_not_overwritten(text, force, tmp_path):
    (tmp_path / 'train_all.json').write_text(text)
    (tmp_path / 'batch_01').mkdir()
    (tmp_path / 'batch_01' / '0000.jpg').write_bytes(b'a photo')
    before = contents(tmp_path)
    with pytest.raises(UserError, match='train_all.json.*would be lost'):
        write_toy_set(tmp_path, train=1, val=0, test=0, size=48, force=force)
    assert contents(tmp_path) == before


def test_the_tool_says_what_it_did(tmp_path):
    arguments = ['--out', tmp_path, '--train', 2, '--val', 1, '--test', 0, '--size', 48]
    assert tool('data_prep/make_toy_trash.py', *arguments).stdout.startswith('drew: 2 training')
    assert tool('data_prep/make_toy_trash.py', *arguments).stdout.startswith('kept')
