import numpy as np
import pytest
import torch
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.config import Config
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torchvision.transforms import v2

from mmseg_custom.models.segmentors import strong_view
from mmseg_custom.models.segmentors.strong_view import change_colors, draw_class_masks, paste


@pytest.fixture(scope='module')
def preprocessor():
    model = Config.fromfile(
        str(ROOT / 'configs' / '_base_' / 'models' / 'encoder_decoder.py')
    ).model
    return MODELS.build(model.data_preprocessor)


@settings(max_examples=40)
@given(st.integers(1, 4), st.integers(0, 12), st.integers(0, 2**31))
def test_half_of_the_classes_of_each_photo_are_chosen_with_all_their_pixels(photos, kinds, seed):
    rng = np.random.default_rng(seed)
    classes = rng.choice([*rng.permutation(11)[:kinds], 255], (photos, 5, 7))
    torch.manual_seed(seed)
    masks = draw_class_masks(torch.from_numpy(classes))
    for labels, mask in zip(classes, masks.numpy(), strict=True):
        present = set(labels.ravel().tolist()) - {255}
        chosen = set(labels[mask].tolist())
        assert chosen <= present
        assert len(chosen) == len(present) // 2
        for row, flags in zip(labels, mask, strict=True):
            for label, flag in zip(row, flags, strict=True):
                assert flag == (label in chosen)


def test_every_half_of_the_classes_is_equally_likely():
    labels = torch.tensor([[[0, 3, 7, 10]]]).expand(3000, 1, 4)
    torch.manual_seed(0)
    masks = draw_class_masks(labels)[:, 0]
    pairs, counts = masks.unique(dim=0, return_counts=True)
    assert len(pairs) == 6
    assert counts.tolist() == pytest.approx([500] * 6, rel=0.2)
    torch.manual_seed(0)
    assert draw_class_masks(labels)[:, 0].equal(masks)


@settings(max_examples=30)
@given(st.permutations(range(11)), st.integers(1, 12), st.integers(0, 2**31))
def test_another_order_of_the_classes_chooses_the_same_pixels(order, kinds, seed):
    rng = np.random.default_rng(seed)
    classes = rng.choice([*rng.permutation(11)[:kinds], 255], (2, 5, 7))
    table = np.full(256, 255)
    table[:11] = order
    found = []
    for labels in (classes, table[classes]):
        torch.manual_seed(seed)
        found.append(draw_class_masks(torch.from_numpy(labels)))
    assert found[0].equal(found[1])


@pytest.mark.parametrize('photos', [1, 2, 3])
def test_what_is_chosen_is_pasted_over_the_photo_before(photos):
    torch.manual_seed(1)
    masks = torch.rand(photos, 4, 5) < 0.5
    labels, inputs = torch.randint(0, 11, (photos, 4, 5)), torch.randn(photos, 3, 4, 5)
    pasted_labels, pasted_inputs = paste(masks, labels), paste(masks, inputs)
    for n in range(photos):
        for y in range(4):
            for x in range(5):
                source = n if masks[n, y, x] else n - 1
                assert pasted_labels[n, y, x] == labels[source, y, x]
                assert pasted_inputs[n, :, y, x].equal(inputs[source, :, y, x])


def test_colors_are_changed_in_the_pixels_of_the_photo(preprocessor, monkeypatch):
    def darken(photo):
        return v2.functional.adjust_brightness(photo, 0.5)

    monkeypatch.setattr(strong_view, 'COLORS', darken)
    photos = torch.randint(0, 256, (2, 3, 32, 64), dtype=torch.uint8)
    samples = [SegDataSample(), SegDataSample()]
    normalized = preprocessor(dict(inputs=list(photos), data_samples=samples))['inputs']
    halved = (photos.float() / 2).flip(1)
    mean = torch.tensor([123.675, 116.28, 103.53])[:, None, None]
    std = torch.tensor([58.395, 57.12, 57.375])[:, None, None]
    changed = change_colors(normalized, preprocessor)
    torch.testing.assert_close(changed, (halved - mean) / std, rtol=1e-4, atol=1e-5)


def test_photos_are_changed_each_in_its_own_way_and_again_the_same_by_the_seed(preprocessor):
    photo = torch.rand(1, 3, 32, 32) * 4 - 2
    inputs = photo.expand(12, -1, -1, -1)
    torch.manual_seed(2)
    changed = change_colors(inputs, preprocessor)
    assert changed.shape == inputs.shape
    assert changed.isfinite().all()
    assert len({float(one.sum()) for one in changed}) >= 11
    pixels = changed * preprocessor.std + preprocessor.mean
    assert pixels.min() > -0.01
    assert pixels.max() < 255.01
    torch.manual_seed(2)
    assert change_colors(inputs, preprocessor).equal(changed)
