import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmseg.registry import MODELS
from PIL import Image

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.experiment.tta import photo_pipeline, read_crf, set_tta
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.utils import UserError

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


def photo_of(seed, height=64, width=96):
    noise = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def softmax_at(segmenter, photo, size):
    """What the bare model says about a photo, brought to ``size`` as logits."""
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
    tensor = (torch.from_numpy(photo.transpose(2, 0, 1).copy()).float() - mean) / std
    bottom, right = -photo.shape[0] % 32, -photo.shape[1] % 32
    model = getattr(segmenter.model, 'module', segmenter.model)
    with torch.no_grad():
        padded = torch.nn.functional.pad(tensor, (0, right, 0, bottom))[None]
        logits = model.decode_head(model.extract_feat(padded))
        logits = torch.nn.functional.interpolate(logits, padded.shape[2:], mode='bilinear')
        logits = logits[:, :, : photo.shape[0], : photo.shape[1]]
        logits = torch.nn.functional.interpolate(logits, size, mode='bilinear')
    return logits[0].softmax(0).numpy()


def test_flip_is_the_mean_of_both(random_checkpoint):
    segmenter, photo = TrashSegmenter(TOY, random_checkpoint, tta='flip'), photo_of(0)
    there = softmax_at(segmenter, photo, (64, 96))
    back = softmax_at(segmenter, photo[:, ::-1], (64, 96))[:, :, ::-1]
    found = segmenter(photo)
    assert np.allclose(found.probabilities, (there + back) / 2, atol=1e-4)
    assert np.array_equal(found.mask, found.probabilities.argmax(0))
    assert np.abs(there - back).max() > 0.01


def test_multi_scale_is_the_mean_of_six(random_checkpoint):
    segmenter, photo = (
        TrashSegmenter(TOY, random_checkpoint, tta='multi_scale'),
        photo_of(1, 64, 64),
    )
    views = []
    for side in (48, 64, 80):
        scaled = cv2.resize(photo, (side, side), interpolation=cv2.INTER_LINEAR)
        views.append(softmax_at(segmenter, scaled, (64, 64)))
        views.append(softmax_at(segmenter, scaled[:, ::-1], (64, 64))[:, :, ::-1])
    assert np.allclose(segmenter(photo).probabilities, np.mean(views, axis=0), atol=1e-4)


def test_a_batch_gives_what_single_photos_give(random_checkpoint):
    segmenter, photos = (
        TrashSegmenter(TOY, random_checkpoint, tta='flip'),
        [photo_of(2), photo_of(3)],
    )
    for one, photo in zip(segmenter.batch(photos), photos, strict=True):
        assert np.allclose(one.probabilities, segmenter(photo).probabilities, atol=1e-3)


def test_one_window_over_all_is_the_whole(random_checkpoint):
    whole = TrashSegmenter(TOY, random_checkpoint)(photo_of(4)).probabilities
    slide = TrashSegmenter(TOY, random_checkpoint, tta='slide')(photo_of(4)).probabilities
    assert np.allclose(whole, slide, atol=1e-5)


def test_windows_of_a_model_that_sees_one_pixel_are_the_whole():
    cfg = Config.fromfile(str(TOY))
    cfg.model = dict(type='EncoderDecoder', data_preprocessor=cfg.model.data_preprocessor,
                     backbone=dict(type='mmseg.OnePixel'), decode_head=dict(
                         type='FCNHead', in_channels=3, channels=8, num_convs=0, num_classes=11,
                         concat_input=False, in_index=0), test_cfg=dict(mode='whole'))  # fmt: skip

    @MODELS.register_module(force=True)
    class OnePixel(torch.nn.Module):
        def forward(self, x):
            return [x]

    cfg.model.decode_head.channels = 3
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    x = torch.randn(1, 3, 40, 56)
    metas = [dict(ori_shape=(40, 56), img_shape=(40, 56))]
    whole = model.inference(x, metas)
    model.test_cfg = Config(dict(mode='slide', crop_size=(16, 16), stride=(11, 11)))
    assert torch.allclose(whole, model.inference(x, metas), atol=1e-5)


def test_a_crf_in_the_model_is_the_crf_behind_it(random_checkpoint, tmp_path):
    pytest.importorskip('numba')
    photo = photo_of(5)
    Image.fromarray(photo).save(tmp_path / 'a.png')
    plain = TrashSegmenter(TOY, random_checkpoint)(photo)
    cfg = Config.fromfile(str(TOY))
    set_tta(cfg, 'none', read_crf('default'))
    model = MODELS.build(cfg.model)
    sample = plain_sample(plain.probabilities, tmp_path / 'a.png')
    (merged,) = model.merge_preds([[sample]])
    expected = plain.refined(photo, DenseCrf())
    found = merged.seg_logits.data.softmax(0).numpy()
    assert np.allclose(found, expected.probabilities, atol=1e-4)
    assert np.array_equal(merged.pred_sem_seg.data[0].numpy(), expected.mask)
    assert not np.array_equal(expected.mask, plain.mask)


def plain_sample(probabilities, path):
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    sample = SegDataSample(metainfo=dict(img_path=str(path)))
    sample.seg_logits = PixelData(data=torch.from_numpy(probabilities).log())
    return sample


def test_the_views_come_behind_what_the_experiment_does_with_a_photo():
    cfg = Config.fromfile(str(ROOT / 'configs' / 'laptop_efflite0_trash.py'))
    assert [step['type'] for step in photo_pipeline(cfg)] == [
        'LoadImageFromNDArray', 'Resize', 'PackSegInputs'
    ]  # fmt: skip
    set_tta(cfg, 'flip')
    pipeline = cfg.test_dataloader.dataset.pipeline
    assert [step.type for step in pipeline] == ['LoadTrashImage', 'Resize', 'TestTimeAug']
    assert [[step['type'] for step in part] for part in pipeline[-1].transforms] == [
        ['RandomFlip', 'RandomFlip'], ['LoadTrashAnnotations'], ['PackSegInputs']
    ]  # fmt: skip
    assert photo_pipeline(cfg)[-1]['transforms'][-2:] == [
        pipeline[-1].transforms[0], pipeline[-1].transforms[2]
    ]  # fmt: skip


def test_says_which_views_and_crfs_there_are(tmp_path):
    with pytest.raises(UserError, match=r'none of the tta: flip, multi_scale'):
        set_tta(Config.fromfile(str(TOY)), 'upside_down')
    (tmp_path / 'a.py').write_text('other = 1\n')
    with pytest.raises(UserError, match='does not say `crf'):
        read_crf(str(tmp_path / 'a.py'))
    (tmp_path / 'b.py').write_text('crf = dict(iterations=3)\n')
    assert read_crf(str(tmp_path / 'b.py')) == dict(iterations=3)
    assert read_crf('keep_small')['keep_small'] == 0.5
