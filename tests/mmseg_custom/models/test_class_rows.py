"""Which weights have rows of classes, in every kind of model."""

import pytest
import torch
from conftest import ROOT
from mmseg.registry import MODELS

from mmseg_custom.classes import class_list
from mmseg_custom.experiment.config import drop_pretrained, load_config
from mmseg_custom.experiment.set_classes import set_classes
from mmseg_custom.models.class_rows import class_axes, match_rows, same_class

KINDS = ('upernet_swin_toy', 'knet_swin_trash', 'hf_segformer_b0_trash', 'mask2former_swin_trash')
OURS = class_list(dict(names=['glass', 'wood', 'Ground', 'can'], background='Ground'))
THEIRS = class_list(['Background', 'can', 'Glass'])


def test_a_class_is_found_by_its_name_and_the_background_by_what_it_is():
    assert [same_class(THEIRS, OURS, n) for n in range(4)] == [2, None, 0, 1]
    # A class of ours that is their background is another thing.
    bare = class_list(dict(names=['Background', 'can'], background=None))
    assert [same_class(THEIRS, bare, n) for n in range(2)] == [None, 1]


@pytest.mark.parametrize('name', KINDS)
def test_rows_follow_their_classes_and_new_ones_keep_their_own(name):
    cfg = load_config(str(ROOT / 'configs' / f'{name}.py'))
    drop_pretrained(cfg.model)
    states = []
    for classes in (THEIRS, OURS):
        set_classes(cfg, classes)
        states.append(MODELS.build(cfg.model).state_dict())
    theirs, own = states
    state = {key: torch.randn_like(value.float()) for key, value in theirs.items()}
    given = {key: value.clone() for key, value in state.items()}
    axes = class_axes(cfg.model, len(OURS))
    assert set(axes) == {key for key in own if own[key].shape != theirs[key].shape}
    match_rows(state, own, axes, THEIRS, OURS)
    for key, axis in axes.items():
        assert state[key].shape == own[key].shape
        rows, was, mine = (one.movedim(axis, 0) for one in (state[key], given[key], own[key]))
        assert torch.equal(rows[[0, 2, 3]], was[[2, 0, 1]])
        assert torch.equal(rows[1], mine[1])
        assert torch.equal(rows[4:], was[3:]), 'no object'
    assert all(torch.equal(state[key], given[key]) for key in own.keys() - axes.keys())
