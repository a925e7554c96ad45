import numpy as np
import pytest
from conftest import ROOT
from mmengine.config import Config
from mmseg.registry import TRANSFORMS

from mmseg_custom.transforms import SeededAlbu
from mmseg_custom.utils import UserError

pytest.importorskip('albumentations')


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
