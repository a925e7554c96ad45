import pytest
import torch
from torch import nn

from mmseg_custom.checkpoints.checkpoint import (
    require_readable,
    require_same_classes,
    require_same_weights,
)
from mmseg_custom.utils import UserError


def model(classes=11, width=4):
    return nn.ModuleDict(dict(body=nn.Conv2d(3, width, 1), conv_seg=nn.Conv2d(width, classes, 1)))


def test_a_checkpoint_of_the_same_model_passes_with_and_without_ddp():
    state = model().state_dict()
    require_same_weights('a.pth', dict(state_dict=state), model())
    require_same_weights('a.pth', {f'module.{k}': v for k, v in state.items()}, model())


@pytest.mark.parametrize(
    ('other', 'words'),
    [
        (model(classes=150), 'another number of classes'),
        (model(width=8), 'another architecture'),
        (nn.ModuleDict(dict(stem=nn.Conv2d(3, 4, 1))), '4 of the 4 weights'),
    ],
)
def test_another_model_is_refused(other, words):
    with pytest.raises(UserError, match='a.pth.*' + words):
        require_same_weights('a.pth', dict(state_dict=other.state_dict()), model())


def test_other_classes_are_refused_and_unknown_ones_pass():
    def checkpoint(classes):
        return dict(meta=dict(dataset_meta=dict(classes=classes)))

    metainfo = dict(classes=('a', 'b'))
    require_same_classes('a.pth', checkpoint(['a', 'b']), metainfo)
    require_same_classes('a.pth', {}, metainfo)
    with pytest.raises(UserError, match='a.pth: was trained on 2 classes: b, a'):
        require_same_classes('a.pth', checkpoint(['b', 'a']), metainfo)


def test_unreadable_files_are_named(tmp_path):
    path = tmp_path / 'a.pth'
    with pytest.raises(UserError, match='no such checkpoint'):
        require_readable(path)
    torch.save(model().state_dict(), path)
    require_readable(path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b'', b'no checkpoint at all'):
        path.write_bytes(content)
        with pytest.raises(UserError, match='truncated'):
            require_readable(path)
