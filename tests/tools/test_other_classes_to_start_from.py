"""A training that starts from a model of other classes takes over what is the same."""

import pytest
import torch
import yaml
from conftest import ROOT
from processes import run_to_end

from mmseg_custom.classes import built_in, class_list

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
NAMES = list(built_in().names)
LISTS = dict(
    permuted=[*NAMES[5:], *NAMES[:5]],
    # As many classes, of which one is another.
    renamed=[*NAMES[:5], 'Wood', *NAMES[6:]],
    more=[*NAMES, 'Wood'],
)
SETTINGS = [
    'train_cfg.max_iters=1', 'train_cfg.val_interval=1', 'optim_wrapper.optimizer.lr=0.',
]  # fmt: skip


@pytest.mark.parametrize('name', LISTS)
def test_the_head_follows_the_names(name, toy_set, random_checkpoint, tmp_path):
    classes = class_list(dict(names=LISTS[name], background='Background'))
    (tmp_path / 'list.yaml').write_text(yaml.safe_dump(classes.to_plain()))
    # Whatever the list, the photos have only what it knows.
    (tmp_path / 'map.yaml').write_text('Glass: ignore\n' if name == 'renamed' else '{}')
    arguments = [TOY, '--data-root', toy_set, '--work-dir', tmp_path / 'work']
    arguments += ['--classes', tmp_path / 'list.yaml', '--class-map', tmp_path / 'map.yaml']
    options = [*SETTINGS, f'load_from={random_checkpoint}']
    done = run_to_end('tools/train.py', *arguments, '--cfg-options', *options)
    said = done.stdout + done.stderr
    assert 'knows 11 classes' in said
    new = [one for one in classes.names if one not in NAMES]
    assert f'new are {", ".join(new) or "none"}' in said
    assert 'starting from' in said
    before, after = (
        torch.load(path, weights_only=False)['state_dict']
        for path in (random_checkpoint, tmp_path / 'work' / 'iter_1.pth')
    )
    known = [n for n, one in enumerate(classes.names) if one in NAMES]
    was = [NAMES.index(classes.names[n]) for n in known]
    for key in ('decode_head.conv_seg.weight', 'auxiliary_head.conv_seg.bias'):
        assert torch.equal(after[key][known], before[key][was])
    key = 'backbone.patch_embed.projection.weight'
    assert torch.equal(after[key], before[key])


def test_weights_of_another_model_are_refused(toy_set, tmp_path):
    torch.save(dict(state_dict={'nothing.weight': torch.zeros(3)}, meta={}), tmp_path / 'a.pth')
    arguments = [TOY, '--data-root', toy_set, '--work-dir', tmp_path / 'work']
    options = [*SETTINGS, f'load_from={tmp_path / "a.pth"}']
    done = run_to_end('tools/train.py', *arguments, '--cfg-options', *options, code=2)
    assert 'a.pth: has none of the' in done.stderr
