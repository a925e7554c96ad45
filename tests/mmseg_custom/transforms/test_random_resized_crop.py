import numpy as np
import torch

from mmseg_custom.transforms import RandomResizedCrop


def sample(height=60, width=90):
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    photo = np.dstack([rows, columns, rows])
    return dict(
        img=photo, gt_seg_map=rows.copy(), seg_fields=['gt_seg_map'], img_shape=(height, width)
    )


def test_photo_and_mask_show_the_same_piece_at_the_photos_size():
    torch.manual_seed(0)
    shares = []
    for _ in range(50):
        result = RandomResizedCrop(scale=(0.25, 0.5))(sample())
        assert result['img'].shape == (60, 90, 3)
        assert result['gt_seg_map'].shape == result['img_shape'] == (60, 90)
        # The photo's first channel is its row, and so is the mask.
        difference = result['img'][..., 0].astype(int) - result['gt_seg_map']
        assert np.abs(difference).max() <= 1
        rows, columns = np.ptp(result['gt_seg_map']), np.ptp(result['img'][..., 1])
        shares.append((int(rows) + 1) * (int(columns) + 1) / (60 * 90))
    assert min(shares) > 0.2
    assert max(shares) < 0.55
    assert np.ptp(shares) > 0.15


def test_another_size_may_be_given_and_the_whole_stays_whole():
    result = RandomResizedCrop(scale=(1.0, 1.0), ratio=(1.5, 1.5), size=(30, 45))(sample())
    assert result['img'].shape == (30, 45, 3)
    assert result['img'][0, 0, 0] <= 1
    assert result['img'][-1, -1, 1] >= 88


def test_the_seed_decides():
    images = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        images.append(RandomResizedCrop()(sample())['img'])
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])
