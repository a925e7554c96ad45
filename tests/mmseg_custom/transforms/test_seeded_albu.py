import inspect

import numpy as np
import pytest
from conftest import ROOT
from mmengine.config import Config
from mmseg.registry import TRANSFORMS

from mmseg_custom.transforms import SeededAlbu
from mmseg_custom.utils import UserError

albumentations = pytest.importorskip('albumentations')


def apply(seed, *transforms):
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (40, 50, 3), np.uint8)
    mask = (photo[..., 0] > 127).astype(np.uint8)
    np.random.seed(seed)
    results = dict(img=photo, gt_seg_map=mask, seg_fields=['gt_seg_map'], img_path='a.jpg')
    return photo, mask, SeededAlbu(list(transforms))(results)


def test_numpys_seed_decides():
    move = dict(type='Affine', translate_percent=(-0.4, 0.4), fill_mask=255, p=1.0)
    images = [apply(seed, move)[2]['img'] for seed in (1, 1, 2)]
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_photo_and_mask_go_together_and_the_rest_stays():
    photo, mask, results = apply(0, dict(type='HorizontalFlip', p=1.0))
    assert np.array_equal(results['img'], photo[:, ::-1])
    assert np.array_equal(results['gt_seg_map'], mask[:, ::-1])
    assert results['img_path'] == 'a.jpg'
    assert results['img_shape'] == (40, 50)


def test_what_comes_from_outside_is_ignored():
    _, mask, results = apply(
        3, dict(type='Affine', translate_px=dict(x=20, y=0), fill_mask=255, p=1.0)
    )
    assert (results['gt_seg_map'][:, :20] == 255).all()
    assert np.array_equal(results['gt_seg_map'][:, 20:], mask[:, :30])


MOVE = dict(type='Affine', translate_percent=(0.2, 0.4), p=1.0)
GEOMETRIC = [
    MOVE,
    dict(type='CenterCrop', height=60, width=60, pad_if_needed=True, p=1.0),
    dict(type='Crop', x_max=70, y_max=70, pad_if_needed=True, p=1.0),
    dict(type='CropAndPad', px=20, p=1.0),
    dict(type='ElasticTransform', alpha=300, sigma=12, p=1.0),
    dict(type='GridDistortion', distort_limit=(-0.9, 0.9), normalized=False, p=1.0),
    dict(type='MaskDropout', max_objects=1, p=1.0),
    dict(type='OpticalDistortion', distort_limit=(0.9, 1), p=1.0),
    dict(type='Pad', padding=9, p=1.0),
    dict(type='PadIfNeeded', min_height=64, min_width=64, p=1.0),
    dict(type='Perspective', scale=(0.2, 0.3), fit_output=True, p=1.0),
    dict(type='PiecewiseAffine', scale=(0.1, 0.2), p=1.0),
    dict(type='RandomCrop', height=60, width=60, pad_if_needed=True, p=1.0),
    dict(type='Rotate', limit=(40, 50), p=1.0),
    dict(type='SafeRotate', limit=(40, 50), p=1.0),
    dict(type='ShiftScaleRotate', shift_limit=(0.3, 0.4), p=1.0),
    dict(type='ThinPlateSpline', scale_range=(0.5, 0.6), p=1.0),
    dict(type='OneOf', transforms=[MOVE], p=1.0),
    dict(type='Sequential', transforms=[dict(type='SomeOf', transforms=[MOVE], n=1)], p=1.0),
]
# A user's configs may also give the class.
GEOMETRIC.append(MOVE | dict(type=albumentations.Affine))


def changed_mask_of_threes(step):
    results = dict(
        img=np.full((40, 50, 3), 9, np.uint8),
        gt_seg_map=np.full((40, 50), 3, np.uint8),
        seg_fields=['gt_seg_map'],
        img_path='a.jpg',
    )
    return step(results)['gt_seg_map']


@pytest.mark.filterwarnings('ignore:This augmenter is very slow', 'ignore:ShiftScaleRotate is')
@pytest.mark.parametrize('transform', GEOMETRIC, ids=lambda one: str(one['type']))
def test_no_label_is_made_up_outside_of_the_photo(transform):
    step, found = SeededAlbu([transform]), set()
    for seed in range(5):
        np.random.seed(seed)
        found |= set(np.unique(changed_mask_of_threes(step)).tolist())
    assert found <= {3, 255}
    # It repeats the photo's edges, whatever it is asked for.
    shows_outside = transform['type'] != 'PiecewiseAffine'
    assert (255 in found) == shows_outside, 'the test tests nothing'


def test_all_transforms_that_fill_masks_are_tested():
    fills = {
        name
        for name, kind in vars(albumentations).items()
        if inspect.isclass(kind)
        and issubclass(kind, albumentations.DualTransform)
        and 'fill_mask' in inspect.signature(kind).parameters
        and inspect.signature(kind).parameters['fill_mask'].default is not None
        and not name.endswith('3D')
    }
    # Mosaic needs other photos, which SeededAlbu does not have.
    assert fills - {'Mosaic'} == {one['type'] for one in GEOMETRIC if 'transforms' not in one} - {
        albumentations.Affine
    }


def test_a_stated_fill_is_respected():
    for fill, expected in ((0, 0), (7, 7), (255, 255)):
        mask = changed_mask_of_threes(SeededAlbu([MOVE | dict(fill_mask=fill)]))
        assert set(np.unique(mask)) == {3, expected}


@pytest.mark.parametrize(
    'path', sorted((ROOT / 'configs/_base_/augmentations').glob('*.py')), ids=lambda p: p.stem
)
def test_no_named_augmentation_makes_labels_up(path):
    steps = [
        TRANSFORMS.build(step)
        for step in Config.fromfile(str(path))[f'{path.stem}_augmentation']
        if step['type'] == 'SeededAlbu'
    ]
    for seed in range(30):
        np.random.seed(seed)
        for step in steps:
            assert set(np.unique(changed_mask_of_threes(step))) <= {3, 255}


@pytest.mark.parametrize('transform', [dict(type='Unheard'), dict(type='OneOf')])
def test_unknown_transforms_are_told(transform):
    with pytest.raises(UserError, match='SeededAlbu'):
        SeededAlbu([transform])


AFFINE = dict(type='Affine', translate_percent=0.1, p=1.0)


@pytest.mark.parametrize(
    ('transform', 'message'),
    [
        (AFFINE | dict(mask_value=255), 'Affine has no argument mask_value'),
        (dict(type='HorizontalFlip', chance=1), 'HorizontalFlip has no argument chance'),
        (dict(type='Rotate', value=0, mask_value=255), 'Rotate has no argument value, mask_value'),
        (
            dict(type='OneOf', transforms=[AFFINE | dict(mask_value=255)]),
            'Affine has no argument mask_value',
        ),
        (dict(type='MedianBlur', size=3), 'size'),
        (dict(type='OneOf', transforms=[AFFINE], odds=1), 'odds'),
    ],
)
def test_arguments_that_albumentations_ignores_are_refused(transform, message, recwarn):
    with pytest.raises(UserError, match=f'SeededAlbu: .*{message}'):
        SeededAlbu([transform])
    assert not recwarn.list


def test_every_named_augmentation_is_accepted():
    for path in sorted((ROOT / 'configs' / '_base_' / 'augmentations').glob('*.py')):
        for step in Config.fromfile(str(path))[f'{path.stem}_augmentation']:
            TRANSFORMS.build(step)


def test_a_missing_package_is_told(monkeypatch):
    from mmseg.datasets.transforms import transforms

    monkeypatch.setattr(transforms, 'ALBU_INSTALLED', False)
    with pytest.raises(UserError, match=r'pip install -e "\.\[augment\]"'):
        SeededAlbu([dict(type='HorizontalFlip')])
