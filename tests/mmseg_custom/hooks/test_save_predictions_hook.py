from types import SimpleNamespace

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from mmseg_custom.classes import built_in
from mmseg_custom.coco import colorize, load_mask
from mmseg_custom.hooks import SavePredictionsHook

CLASSES = built_in().names
PALETTE = built_in().mask_colors


def sample(path, prediction, truth=None) -> SegDataSample:
    made = SegDataSample(metainfo=dict(img_path=str(path)))
    made.pred_sem_seg = PixelData(data=torch.from_numpy(prediction.astype(np.int64))[None])
    if truth is not None:
        made.gt_sem_seg = PixelData(data=torch.from_numpy(truth.astype(np.int64))[None])
    return made


def test_photos_of_the_same_name_in_two_batches_keep_their_own_masks(tmp_path):
    metainfo = built_in().to_metainfo()
    dataset = SimpleNamespace(metainfo=metainfo, data_prefix=dict(img_path=str(tmp_path)))
    runner = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=dataset))
    rng = np.random.default_rng(0)
    masks, samples = {}, []
    for name in ('batch_01/0000', 'batch_02/0000'):
        (tmp_path / name).parent.mkdir()
        photo = np.full((20, 30, 3), 100, np.uint8)
        Image.fromarray(photo).save(tmp_path / f'{name}.png')
        masks[name] = rng.integers(0, 11, (20, 30)).astype(np.uint8)
        truth = masks[name] if name == 'batch_01/0000' else None
        samples.append(sample(tmp_path / f'{name}.png', masks[name], truth))
    hook = SavePredictionsHook(str(tmp_path / 'out'), str(tmp_path / 'show'))
    hook.after_test_iter(runner, 0, None, samples)
    for name, mask in masks.items():
        np.testing.assert_array_equal(
            load_mask(tmp_path / 'out' / f'{name}.png', 20, 30, built_in()), mask
        )
    # Photo, truth, prediction; without a truth only two pictures.
    assert Image.open(tmp_path / 'show' / 'batch_01' / '0000.jpg').size == (90, 20)
    assert Image.open(tmp_path / 'show' / 'batch_02' / '0000.jpg').size == (60, 20)


def test_overlay_tints_objects_and_leaves_the_background():
    from mmseg_custom.visualization import overlay

    photo = np.full((4, 6, 3), 200, np.uint8)
    mask = np.zeros((4, 6), np.uint8)
    mask[:, 3:] = 4
    seen = overlay(photo, mask, built_in())
    assert (seen[:, :3] == 200).all()
    expected = 0.4 * 200 + 0.6 * colorize(mask, built_in())[0, 3].astype(float)
    np.testing.assert_allclose(seen[0, 3], expected, atol=0.5)
