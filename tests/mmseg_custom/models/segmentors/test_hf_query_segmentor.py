from types import SimpleNamespace

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from mmseg_custom.models.segmentors import HFQuerySegmentor


class Spy(nn.Module):
    def forward(self, **given):
        self.given = given
        return SimpleNamespace(loss=torch.tensor([2.5]))


def test_each_class_of_a_photo_is_one_mask_and_ignored_pixels_are_in_none():
    labels = torch.tensor([[0, 0, 3], [3, 255, 7]])
    sample = SegDataSample(gt_sem_seg=PixelData(data=labels[None]))
    spy = Spy()
    self = SimpleNamespace(
        backbone=SimpleNamespace(model=spy), decode_head=SimpleNamespace(ignore_index=255)
    )
    inputs = torch.zeros(1, 3, 2, 3)
    assert HFQuerySegmentor.loss(self, inputs, [sample]) == dict(loss_query=torch.tensor(2.5))
    assert spy.given['pixel_values'] is inputs
    assert spy.given['class_labels'][0].tolist() == [0, 3, 7]
    expected = [[[1, 1, 0], [0, 0, 0]], [[0, 0, 1], [1, 0, 0]], [[0, 0, 0], [0, 0, 1]]]
    assert spy.given['mask_labels'][0].tolist() == expected
