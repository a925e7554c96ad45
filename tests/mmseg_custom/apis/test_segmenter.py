from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT, coco
from PIL import Image

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import coco_to_samples, paint
from mmseg_custom.utils import UserError

CLASSES = built_in().names

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture(scope='module')
def segmenter(random_checkpoint):
    return TrashSegmenter(TOY, random_checkpoint, device='cpu')


def photo_of(seed, height=64, width=80):
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def test_probabilities_are_the_models(segmenter):
    photo = photo_of(0)
    result = segmenter(photo)
    model = segmenter.model
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
    tensor = (torch.from_numpy(photo.transpose(2, 0, 1).copy()).float() - mean) / std
    padded = torch.nn.functional.pad(tensor, (0, 16, 0, 0))[None]
    with torch.no_grad():
        logits = model.decode_head(model.extract_feat(padded))
    logits = torch.nn.functional.interpolate(logits, (64, 96), mode='bilinear')[0, :, :, :80]
    assert np.allclose(result.probabilities, logits.softmax(0).numpy(), atol=1e-4)
    assert np.array_equal(result.mask, result.probabilities.argmax(0))
    assert len(np.unique(result.mask)) > 1
    assert np.allclose(result.probabilities.sum(0), 1, atol=1e-5)


def test_a_file_an_image_and_an_array_are_the_same_photo(segmenter, tmp_path):
    photo = photo_of(1)
    Image.fromarray(photo).save(tmp_path / 'a.png')
    masks = [
        segmenter(form).mask
        for form in (photo, Image.fromarray(photo), tmp_path / 'a.png', str(tmp_path / 'a.png'))
    ]
    assert all(np.array_equal(mask, masks[0]) for mask in masks)


def test_exif_rotation_is_honoured(segmenter, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo_of(2)).save(tmp_path / 'a.jpg', exif=exif)
    assert segmenter(tmp_path / 'a.jpg').mask.shape == (80, 64)


def test_threads_and_batches_change_nothing(segmenter):
    photos = [photo_of(seed) for seed in range(8)]
    alone = [segmenter(photo).mask for photo in photos]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda photo: segmenter(photo).mask, photos))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    in_one = segmenter.batch(photos)
    assert all(np.mean(a != b.mask) < 1e-3 for a, b in zip(alone, in_one, strict=True))
    mixed = segmenter.batch([photos[0], photo_of(9, 48, 40)])
    assert [result.mask.shape for result in mixed] == [(64, 80), (48, 40)]


def test_coco_and_back_is_the_same_mask(segmenter):
    result = segmenter(photo_of(3))
    image = dict(id=5, file_name='a.jpg', height=64, width=80)
    content = coco([image], result.to_coco(image_id=5, first_id=7))
    content['categories'] = [dict(id=i, name=name) for i, name in enumerate(CLASSES) if i]
    (sample,) = coco_to_samples(content, built_in())
    assert np.array_equal(paint(sample['annotations'], 64, 80, fill=0), result.mask)
    assert [a['id'] for a in content['annotations']] == list(range(7, 7 + len(result.to_coco())))


def test_shares_and_overlay_follow_from_the_mask(segmenter):
    photo = photo_of(4)
    result = segmenter(photo)
    shares = result.area_shares
    assert sum(shares.values()) == pytest.approx(1)
    for name, share in shares.items():
        assert share == pytest.approx(np.mean(result.mask == CLASSES.index(name)))
    drawn = result.overlay(photo)
    assert np.array_equal(drawn[result.mask == 0], photo[result.mask == 0])
    assert (drawn[result.mask > 0] != photo[result.mask > 0]).any()


@pytest.mark.parametrize(
    'photo',
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(segmenter, photo):
    with pytest.raises(UserError, match=r'an \(H, W, 3\) uint8 RGB array'):
        segmenter(photo)


def test_wrong_files_are_told(segmenter, random_checkpoint, tmp_path):
    with pytest.raises(UserError, match='no such photo'):
        segmenter(tmp_path / 'gone.jpg')
    content = torch.load(random_checkpoint, weights_only=False)
    content['state_dict'].popitem()
    torch.save(content, tmp_path / 'b.pth')
    with pytest.raises(UserError, match='another architecture'):
        TrashSegmenter(TOY, tmp_path / 'b.pth')
