import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.models.segmentors.fast_argmax import FastArgmax

FEW = torch.randint(0, 3, (5, 7, 9), generator=torch.Generator().manual_seed(0)).float()


def with_nan(scores: torch.Tensor) -> torch.Tensor:
    scores = scores.clone()
    scores[2, 3, 4] = torch.nan
    return scores


@pytest.mark.parametrize(
    'scores',
    [
        FEW,
        FEW.double(),
        FEW.half(),
        FEW.permute(1, 2, 0).contiguous().permute(2, 0, 1),
        with_nan(FEW),
        torch.rand(300, 2, 3, generator=torch.Generator().manual_seed(0)),
        FEW[:, ::2, 1:].clone().requires_grad_(),
    ],
    ids=['float', 'double', 'half', 'channels last', 'NaN', '300 classes', 'gradient'],
)
def test_the_result_is_that_of_argmax(scores):
    expected = scores.argmax(dim=0, keepdim=True)
    with FastArgmax():
        found = scores.argmax(dim=0, keepdim=True)
        others = scores.argmax(), scores.argmax(dim=1), scores.argmax(dim=0)
    assert found.dtype == expected.dtype
    assert torch.equal(found, expected)
    assert torch.equal(others[0], scores.argmax())
    assert torch.equal(others[1], scores.argmax(dim=1))
    assert torch.equal(others[2], scores.argmax(dim=0))


class Called(TorchDispatchMode):
    """The operators that are called."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def test_a_segmentor_takes_no_slow_argmax(random_checkpoint):
    segmenter = TrashSegmenter(random_checkpoint, device='cpu')
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    expected = segmenter(photo)
    with Called() as called:
        result = segmenter(photo)
    assert {'softmax', '_softmax'} & called.names
    assert 'argmax' not in called.names
    assert (result.mask == expected.mask).all()
    assert (result.mask == result.probabilities.argmax(axis=0)).all()
