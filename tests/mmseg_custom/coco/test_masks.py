"""Masks become COCO annotations and masks again without losing a pixel."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from mmseg_custom.classes import built_in
from mmseg_custom.coco import (
    IGNORE_INDEX,
    coco_to_samples,
    find_problems,
    load_mask,
    make_coco,
    mask_annotations,
    masks_to_coco,
    paint,
    save_mask,
    write_masks,
)
from mmseg_custom.utils import UserError

CLASSES = built_in().names

LABELS = st.integers(0, len(CLASSES) - 1)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
NOISE = hnp.arrays(np.uint8, SHAPES, elements=LABELS, fill=st.nothing())
# Most of such an array has one value, so that it has larger components.
PATCHES = hnp.arrays(np.uint8, SHAPES, elements=LABELS, fill=LABELS)


def coco_of(mask, whole=False):
    image = dict(file_name='a.jpg', height=mask.shape[0], width=mask.shape[1])
    return make_coco({}, [], [(image, list(mask_annotations(mask, built_in(), whole)))], built_in())


def write_pair(folder, name, mask):
    """A mask and a photo of its size; returns nothing."""
    save_mask(folder / 'masks' / f'{name}.png', mask, built_in())
    path = folder / 'photos' / f'{name}.jpg'
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.zeros((*mask.shape, 3), np.uint8))


def save(path, content):
    path.write_text(json.dumps(content))
    return path


@given(st.one_of(NOISE, PATCHES), st.booleans())
@settings(max_examples=150)
def test_describing_and_painting_gives_the_same_mask(mask, whole):
    content = coco_of(mask, whole)
    assert list(find_problems(content, built_in())) == []
    (sample,) = coco_to_samples(content, built_in())
    np.testing.assert_array_equal(paint(sample['annotations'], *mask.shape, fill=0), mask)


@given(PATCHES, st.booleans())
@settings(max_examples=60)
def test_annotations_are_what_pycocotools_measures_and_do_not_overlap(mask, whole):
    painted = np.zeros(mask.shape, int)
    for annotation in mask_annotations(mask, built_in(), whole):
        rle = annotation['segmentation']
        decoded = mask_utils.decode(rle)
        assert (mask[decoded == 1] == annotation['category_id']).all()
        assert annotation['area'] == decoded.sum()
        assert annotation['bbox'] == mask_utils.toBbox(rle).tolist()
        if not whole:
            assert cv2.connectedComponents(decoded, connectivity=8)[0] == 2
        painted += decoded
    np.testing.assert_array_equal(painted, mask > 0)


def test_one_annotation_a_component_or_a_class():
    mask = np.zeros((8, 8), np.uint8)
    mask[0, 0] = mask[1, 1] = mask[5, 5] = 4  # the first two touch at a corner
    mask[7, 0] = 9
    labels = [a['category_id'] for a in mask_annotations(mask, built_in())]
    assert labels == [4, 4, 9]
    assert [a['area'] for a in mask_annotations(mask, built_in())] == [2, 1, 1]
    assert [a['area'] for a in mask_annotations(mask, built_in(), whole=True)] == [3, 1]


def test_masks_equal_pycocotools(real_sample, tmp_path):
    api = COCO(str(real_sample / 'train_all.json'))
    write_masks(real_sample / 'train_all.json', tmp_path, built_in())
    for image in api.imgs.values():
        wanted = np.zeros((image['height'], image['width']), np.uint8)
        for annotation in sorted(api.imgToAnns[image['id']], key=lambda a: -a['area']):
            wanted[api.annToMask(annotation) == 1] = annotation['category_id']
        with Image.open((tmp_path / image['file_name']).with_suffix('.png')) as file:
            assert file.mode == 'P'
            np.testing.assert_array_equal(np.array(file), wanted)


@pytest.mark.parametrize('whole', [False, True])
def test_round_trip_of_the_real_photos(real_sample, tmp_path, whole):
    round_trip(real_sample / 'train_all.json', real_sample, tmp_path, whole)


@pytest.mark.parametrize('whole', [False, True])
def test_round_trip_of_the_toy_set(toy_set, tmp_path, whole):
    round_trip(toy_set / 'train_all.json', toy_set, tmp_path, whole)


def round_trip(ann_file, photos, folder, whole):
    write_masks(ann_file, folder / 'masks', built_in())
    content, _ = masks_to_coco(folder / 'masks', photos, built_in(), whole)
    original = json.loads(ann_file.read_text())
    sizes = {(i['file_name'], i['height'], i['width']) for i in original['images']}
    assert {(i['file_name'], i['height'], i['width']) for i in content['images']} == sizes
    assert list(find_problems(content, built_in())) == []
    write_masks(save(folder / 'again.json', content), folder / 'again', built_in())
    for path in (folder / 'masks').rglob('*.png'):
        again = folder / 'again' / path.relative_to(folder / 'masks')
        assert again.read_bytes() == path.read_bytes()


def test_ignored_pixels_survive_as_a_mask_file(tmp_path):
    from mmseg_custom.datasets import TrashCocoDataset

    ignoring = np.zeros((6, 9), np.uint8)
    ignoring[2:4] = IGNORE_INDEX
    ignoring[5] = 3
    write_pair(tmp_path, 'b/ignoring', ignoring)
    write_pair(tmp_path, 'b/plain', np.full((6, 9), 2, np.uint8))
    content, _ = masks_to_coco(tmp_path / 'masks', tmp_path / 'photos', built_in())
    assert [i.get('seg_map_path') for i in content['images']] == ['../masks/b/ignoring.png', None]
    assert [a['image_id'] for a in content['annotations']] == [1]
    path = save(tmp_path / 'photos' / 'ann.json', content)
    write_masks(path, tmp_path / 'again', built_in())
    np.testing.assert_array_equal(
        load_mask(tmp_path / 'again/b/ignoring.png', 6, 9, built_in()), ignoring
    )
    assert len(TrashCocoDataset(ann_file='ann.json', data_root=str(tmp_path / 'photos'))) == 2
    # The annotations may lie elsewhere, if it is said where the photos are.
    elsewhere = save(tmp_path / 'ann.json', content)
    write_masks(elsewhere, tmp_path / 'third', built_in(), data_root=tmp_path / 'photos')
    np.testing.assert_array_equal(
        load_mask(tmp_path / 'third/b/ignoring.png', 6, 9, built_in()), ignoring
    )


def test_a_photo_lying_on_its_side_has_the_size_that_is_seen(tmp_path):
    save_mask(tmp_path / 'masks' / 'a.png', np.ones((9, 6), np.uint8), built_in())
    (tmp_path / 'photos').mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (9, 6)).save(tmp_path / 'photos' / 'a.JPG', exif=exif)
    content, _ = masks_to_coco(tmp_path / 'masks', tmp_path / 'photos', built_in())
    (image,) = content['images']
    assert (image['file_name'], image['height'], image['width']) == ('a.JPG', 9, 6)


def test_masks_that_are_there_are_kept_unless_forced(tmp_path):
    path = save(tmp_path / 'ann.json', coco_of(np.ones((4, 5), np.uint8)))
    first = write_masks(path, tmp_path / 'out', built_in())
    assert first == dict(written=1, kept=0, pixels=20, changed=0)
    save_mask(tmp_path / 'out' / 'a.png', np.zeros((4, 5), np.uint8), built_in())
    assert write_masks(path, tmp_path / 'out', built_in())['kept'] == 1
    assert load_mask(tmp_path / 'out' / 'a.png', 4, 5, built_in()).sum() == 0
    assert write_masks(path, tmp_path / 'out', built_in(), force=True)['written'] == 1
    assert load_mask(tmp_path / 'out' / 'a.png', 4, 5, built_in()).sum() == 20


def test_what_the_clean_up_changes_is_counted(tmp_path):
    path = save(tmp_path / 'ann.json', coco_of(np.ones((4, 5), np.uint8)))

    def clean(mask):
        mask = mask.copy()
        mask[0] = 2
        return mask

    assert write_masks(path, tmp_path / 'out', built_in(), clean=clean)['changed'] == 5
    assert (load_mask(tmp_path / 'out' / 'a.png', 4, 5, built_in())[0] == 2).all()


@pytest.mark.parametrize('name', ['../a.jpg', '/a.jpg', 'x/../../a.jpg', 'C:\\a.jpg'])
def test_no_mask_is_written_outside_the_folder(name, tmp_path):
    content = coco_of(np.ones((4, 5), np.uint8))
    content['images'][0]['file_name'] = name
    with pytest.raises(UserError, match='ann.json.*leads out of the folder'):
        write_masks(save(tmp_path / 'ann.json', content), tmp_path / 'out', built_in())
    assert not (tmp_path / 'out').exists()


def test_two_photos_of_one_mask_and_unlabelled_photos_are_refused(tmp_path):
    content = coco_of(np.ones((4, 5), np.uint8))
    content['images'].append(dict(content['images'][0], id=1, file_name='a.png'))
    with pytest.raises(UserError, match='a.jpg and a.png would have the same mask'):
        write_masks(save(tmp_path / 'ann.json', content), tmp_path / 'out', built_in())
    unlabelled = dict(images=content['images'][:1])
    with pytest.raises(UserError, match='has no "annotations" to paint'):
        write_masks(save(tmp_path / 'ann.json', unlabelled), tmp_path / 'out', built_in())


def test_bad_masks_are_refused_with_their_name(tmp_path):
    with pytest.raises(UserError, match='has no PNG mask'):
        masks_to_coco(tmp_path, tmp_path, built_in())
    write_pair(tmp_path, 'a', np.full((4, 5), 77, np.uint8))
    with pytest.raises(UserError, match='a.png: has the label 77'):
        masks_to_coco(tmp_path / 'masks', tmp_path / 'photos', built_in())
    save_mask(tmp_path / 'masks' / 'a.png', np.zeros((5, 5), np.uint8), built_in())
    with pytest.raises(UserError, match='the mask is 5x5, its photo 5x4'):
        masks_to_coco(tmp_path / 'masks', tmp_path / 'photos', built_in())
    (tmp_path / 'photos' / 'a.jpg').write_bytes(b'no photo')
    with pytest.raises(UserError, match='a.jpg: the photo is truncated or no image'):
        masks_to_coco(tmp_path / 'masks', tmp_path / 'photos', built_in())
    (tmp_path / 'photos' / 'a.jpg').unlink()
    with pytest.raises(UserError, match='a.png: there is no photo'):
        masks_to_coco(tmp_path / 'masks', tmp_path / 'photos', built_in())
    # A mask is not its own photo.
    with pytest.raises(UserError, match='there is no photo'):
        masks_to_coco(tmp_path / 'masks', tmp_path / 'masks', built_in())
