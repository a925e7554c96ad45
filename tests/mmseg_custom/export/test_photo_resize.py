"""Resizing inside the graph is mmcv's own, to the last bit."""

import mmcv.transforms
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_custom.export.photo_resize import PhotoResize
from mmseg_custom.export.views import views_of
from mmseg_custom.utils import UserError

STEPS = (
    dict(scale=(40, 40), keep_ratio=True),
    dict(scale=(60, 20), keep_ratio=True),
    dict(scale=(33, 21)),
    dict(scale=50, keep_ratio=True),
    dict(scale_factor=0.75, keep_ratio=True),
    dict(scale_factor=(1.25, 0.5)),
)
SIDE = st.integers(1, 90)


def resized(step, photo):
    """What mmcv makes of ``(H, W, 3)``."""
    return mmcv.transforms.Resize(**step)(dict(img=photo))['img']


def noise(height, width):
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


@settings(max_examples=150)
@given(st.sampled_from(STEPS), SIDE, SIDE)
def test_it_is_mmcvs_resize(step, height, width):
    photo = noise(height, width)
    try:
        expected = resized(step, photo)
    except Exception:
        return  # a side of no pixels
    found = PhotoResize(dict(step, type='Resize'))(torch.from_numpy(photo.transpose(2, 0, 1))[None])
    assert np.array_equal(found[0].numpy().transpose(1, 2, 0), expected)


@pytest.mark.parametrize('step', STEPS)
def test_it_is_so_in_a_graph_of_any_size(step, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime')
    torch.onnx.export(
        PhotoResize(step),
        (torch.zeros(2, 3, 24, 40, dtype=torch.uint8),),
        tmp_path / 'a.onnx',
        dynamo=False,
        input_names=['x'],
        output_names=['y'],
        dynamic_axes={name: {0: 'N', 2: 'H', 3: 'W'} for name in 'xy'},
    )
    session = onnxruntime.InferenceSession(str(tmp_path / 'a.onnx'))
    for height, width in [(24, 40), (70, 201), (201, 70), (33, 57), (300, 9)]:
        photo = noise(height, width)
        (found,) = session.run(None, dict(x=photo.transpose(2, 0, 1)[None]))
        assert np.array_equal(found[0].transpose(1, 2, 0), resized(step, photo))


@pytest.mark.parametrize(
    ('step', 'message'),
    [
        (dict(type='Resize', scale=(8, 8), interpolation='area'), 'area interpolation'),
        (dict(type='Resize', scale=(8, 8), backend='pillow'), 'another backend'),
        (dict(type='Resize', scale=(8, 8), clip_object_border=True), 'clip_object_border'),
        (dict(type='RandomFlip', prob=0.5), 'at random'),
        (dict(type='PhotoMetricTables'), 'PhotoMetricTables'),
    ],
)
def test_what_has_no_form_in_a_graph_is_refused(step, message):
    with pytest.raises(UserError, match=message):
        views_of([step])


def test_views_are_all_combinations_and_are_turned_back():
    flips = [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)]
    sizes = [dict(type='Resize', scale_factor=factor) for factor in (1.0, 2.0)]
    tta = dict(type='TestTimeAug', transforms=[sizes, flips, [dict(type='PackSegInputs')]])
    views = views_of([dict(type='LoadImageFromNDArray'), tta])
    assert len(views) == 4
    photo = torch.arange(24, dtype=torch.uint8).reshape(1, 1, 4, 6)
    seen = [view(photo) for view in views]
    assert [tuple(one.shape[2:]) for one in seen] == [(4, 6), (4, 6), (8, 12), (8, 12)]
    assert torch.equal(seen[1], photo.flip(3))
    for view, one in zip(views, seen, strict=True):
        back = view.back(one.float(), (4, 6), False)
        assert (back - photo).abs().max() <= 1
