"""A binary head with one channel: the same classes by every path, and those of mmseg itself."""

import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

from mmseg_custom.export import PhotoModel
from mmseg_custom.models.num_classes import set_num_classes
from mmseg_custom.models.probabilities import class_probabilities, sample_probabilities
from mmseg_custom.utils import UserError

SIDE = 32


class Pixels(nn.Module):
    """Photos as features."""

    def forward(self, x):
        return [x]


MODELS.register_module(module=Pixels, force=True)
HEAD = dict(
    type='FCNHead',
    in_channels=3,
    in_index=0,
    channels=3,
    num_convs=0,
    concat_input=False,
    num_classes=2,
    out_channels=1,
    threshold=0.5,
    align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True),
)
PLAIN = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', size_divisor=32, test_cfg={}),
    backbone=dict(type='Pixels'),
    decode_head=HEAD,
    test_cfg=dict(mode='whole'),
)


def build(config=PLAIN):
    torch.manual_seed(0)
    model = MODELS.build(Config(dict(model=copy.deepcopy(config))).model)
    for module in model.modules():
        if hasattr(module, 'conv_seg'):
            nn.init.normal_(module.conv_seg.weight, std=0.01)
    return model.eval()


def photo():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (3, SIDE, SIDE), generator=generator, dtype=torch.uint8)


def sample():
    meta = dict(img_shape=(SIDE, SIDE), ori_shape=(SIDE, SIDE), img_path='a.png')
    return SegDataSample(metainfo=meta)


@torch.no_grad()
def expected(model):
    """What the layers give, one after the other."""
    logits = model.decode_head.conv_seg(photo()[None].float())[0, 0]
    return torch.special.expit(logits)


@torch.no_grad()
def test_tta_gives_the_classes_and_probabilities_of_the_head():
    model = build()
    p = expected(model)
    assert 0.1 < (p > 0.5).float().mean() < 0.9
    tta = MODELS.build(dict(type='TrashTTAModel', module=model)).eval()
    flipped = sample()
    flipped.set_metainfo(dict(flip=True, flip_direction='horizontal'))
    views = dict(inputs=[[photo()], [photo().flip(2)]], data_samples=[[sample()], [flipped]])
    (found,) = tta.test_step(views)
    alone = model.test_step(dict(inputs=[photo()], data_samples=[sample()]))[0]
    assert torch.equal(found.pred_sem_seg.data[0], (p > 0.5).long())
    assert torch.equal(found.pred_sem_seg.data, alone.pred_sem_seg.data.long())
    probabilities = sample_probabilities(found.seg_logits.data)  # as TrashSegmenter reads them
    torch.testing.assert_close(probabilities, torch.stack([1 - p, p]), rtol=1e-5, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize('threshold', [0.3, 0.7])
def test_tta_decides_by_the_threshold_of_the_head(threshold):
    model = build(PLAIN | dict(decode_head=HEAD | dict(threshold=threshold)))
    tta = MODELS.build(dict(type='TrashTTAModel', module=model)).eval()
    (found,) = tta.test_step(dict(inputs=[[photo()]], data_samples=[[sample()]]))
    assert torch.equal(found.pred_sem_seg.data[0], (expected(model) > threshold).long())


@torch.no_grad()
def test_the_segmenter_and_the_exported_model_give_the_same():
    model = build()
    p = expected(model)
    (plain,) = model.test_step(dict(inputs=[photo()], data_samples=[sample()]))
    probabilities = sample_probabilities(plain.seg_logits.data)
    torch.testing.assert_close(probabilities, torch.stack([1 - p, p]), rtol=1e-5, atol=1e-6)
    exported = PhotoModel(model).eval()(photo().flip(0)[None])  # RGB
    torch.testing.assert_close(exported[0], torch.stack([1 - p, p]), rtol=1e-5, atol=1e-6)
    labels = PhotoModel(model, argmax=True).eval()(photo().flip(0)[None])
    assert torch.equal(labels[0].long(), (p > 0.5).long())


@torch.no_grad()
def test_the_mean_teacher_is_not_certain_of_background_everywhere():
    teacher = MODELS.build(
        dict(type='MeanTeacherSegmentor', segmentor=Config(dict(m=copy.deepcopy(PLAIN))).m)
    )
    nn.init.normal_(teacher.teacher.module.decode_head.conv_seg.weight, std=0.01)
    confidence, classes = teacher.eval()._teach(photo()[None].float())
    p = expected(teacher.teacher.module)
    torch.testing.assert_close(confidence[0], torch.maximum(p, 1 - p))
    assert torch.equal(classes[0], (p > 0.5).long())


@pytest.mark.parametrize('classes', [2, 5])
def test_several_channels_are_a_softmax(classes):
    logits = torch.randn(2, classes, 3, 4, dtype=torch.float64)
    exponentials = np.exp(logits.numpy())
    expected = exponentials / exponentials.sum(1, keepdims=True)
    np.testing.assert_allclose(class_probabilities(logits, 1).numpy(), expected)


def test_another_threshold_or_number_of_classes_is_refused_for_commands():
    for head, number in ((HEAD | dict(threshold=0.3), 2), (HEAD, 3)):
        with pytest.raises(UserError, match='out_channels is 1: one sigmoid needs two classes'):
            set_num_classes(Config(dict(model=PLAIN | dict(decode_head=head))).model, number)
    cfg = Config(dict(model=PLAIN))
    set_num_classes(cfg.model, 2)
    assert cfg.model.decode_head.out_channels == 1
