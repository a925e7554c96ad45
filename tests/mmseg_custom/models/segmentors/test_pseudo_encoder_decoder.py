import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture(scope='module')
def models():
    cfg = Config.fromfile(str(TOY)).model
    torch.manual_seed(0)
    plain = MODELS.build(cfg).eval()
    other = MODELS.build(dict(cfg, type='PseudoEncoderDecoder', pseudo_weight=0.25)).eval()
    other.load_state_dict(plain.state_dict())
    return plain, other


def samples(kinds):
    generator = torch.Generator().manual_seed(1)
    found = []
    for pseudo in kinds:
        sample = SegDataSample(metainfo=dict(img_shape=(64, 64)))
        if pseudo is not None:
            sample.set_metainfo(dict(pseudo=pseudo))
        labels = torch.randint(0, 11, (1, 64, 64), generator=generator)
        sample.gt_sem_seg = PixelData(data=labels)
        found.append(sample)
    return found


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


def test_without_pseudo_labels_it_is_the_plain_model(models):
    plain, other = models
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    expected, found = plain.loss(x, samples([None, None])), other.loss(x, samples([None, False]))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_pseudo_labels_count_by_their_weight(models):
    plain, other = models
    x = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    batch = samples([None, True, True])
    real, pseudo = plain.loss(x[:1], batch[:1]), plain.loss(x[1:], batch[1:])
    found = other.loss(x, batch)
    assert torch.allclose(total(found), total(real) + 0.25 * total(pseudo), rtol=1e-5)
    key = next(key for key in real if 'loss' in key)
    assert torch.allclose(found[f'pseudo.{key}'], 0.25 * pseudo[key], rtol=1e-5)
    accuracy = next(key for key in real if 'acc' in key)
    assert torch.allclose(found[f'pseudo.{accuracy}'], pseudo[accuracy], rtol=1e-5)


def test_a_batch_of_pseudo_labels_alone(models):
    _, other = models
    x = torch.randn(2, 3, 64, 64)
    assert all(key.startswith('pseudo.') for key in other.loss(x, samples([True, True])))
