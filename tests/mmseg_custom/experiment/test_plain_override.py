import json
import subprocess

import pytest
from conftest import ROOT, call_tool
from mmengine.registry import HOOKS

from mmseg_custom.experiment import config as experiment
from mmseg_custom.experiment.plain_override import read_override
from mmseg_custom.utils import UserError

TOY = str(ROOT / 'configs' / 'upernet_swin_toy.py')


def load(path):
    return experiment.load_config(TOY, override=str(path))


@pytest.fixture
def written(tmp_path):
    def write(text, name='o.yaml'):
        # Tools on Windows write a byte order mark.
        (tmp_path / name).write_text(text, encoding='utf-8-sig')
        return tmp_path / name

    return write


def test_yaml_and_json_change_the_experiment(written):
    text = """
optim_wrapper:
  optimizer: {_delete_: true, type: RAdam, lr: 1.0e-4}
train_dataloader.batch_size: 3
custom_hooks: [{type: EMAHook, ema_type: MomentumAnnealingEMA}]
"""
    content = dict(
        optim_wrapper=dict(optimizer=dict(_delete_=True, type='RAdam', lr=1e-4)),
        custom_hooks=[dict(type='EMAHook', ema_type='MomentumAnnealingEMA')],
    )
    content['train_dataloader.batch_size'] = 3
    for path in (written(text), written(json.dumps(content), 'o.json')):
        cfg = load(path)
        assert cfg.optim_wrapper.optimizer == dict(type='RAdam', lr=1e-4)
        assert cfg.train_dataloader.batch_size == 3
        assert cfg.train_dataloader.num_workers == 1
        assert [hook.type for hook in cfg.custom_hooks] == ['EMAHook']


def test_the_command_line_has_the_last_word(written):
    path = written('train_dataloader: {batch_size: 3, num_workers: 5}')
    cfg = experiment.load_config(TOY, ['train_dataloader.batch_size=7'], override=str(path))
    assert (cfg.train_dataloader.batch_size, cfg.train_dataloader.num_workers) == (7, 5)


def test_what_mmengine_would_run_is_refused(written, tmp_path, capsys):
    payload = dict(type='subprocess.Popen', args=['touch', str(tmp_path / 'ran')])
    process = HOOKS.build(dict(payload))
    assert isinstance(process, subprocess.Popen) and process.wait() == 0
    (tmp_path / 'ran').unlink()
    path = written(json.dumps(dict(custom_hooks=[payload])), 'evil.json')
    done = call_tool(capsys, 'tools/train.py', TOY, '--override', path, code=2)
    assert f'{path}: type: ' in done.err and 'not registered' in done.err
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    'text',
    [
        'custom_imports: {imports: [evil]}',
        'custom_imports.imports: [evil]',
        'default_scope: evil',
        'model: {_scope_: evil}',
        '_base_: evil.py',
        'model.type: evil.Model',
        'model: {backbone: {type: antigravity}}',
        'model: {type: [EncoderDecoder]}',
        'optim_wrapper: {constructor: os.system}',
        'custom_hooks: [{type: EMAHook, ema_type: evil.Average}]',
        'model: {some_type: evil.thing}',
        'model: {backbone: {trust_remote_code: true}}',
        'model: !!python/object/apply:os.system [ls]',
        'model: {1: 2}',
    ],
)
def test_nothing_can_be_imported(written, text):
    with pytest.raises(UserError, match=r'o\.yaml'):
        load(written(text))


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('', 'no mapping'),
        ('- 1', 'no mapping'),
        ('a: [', 'cannot be read'),
        ('optim_wraper: {}', "has no 'optim_wraper'"),
        ('optim_wrapper: {optimizer: {lr: 1e-3}}', '1.0e-3'),
        ('train_dataloader.batch_size.x: 1', 'does not go with the experiment'),
        ('a: &x [1]\nb: *x', 'aliases'),
        ('[' * 500 + ']' * 500, 'nested too deeply'),
        ('a: "' + 'x' * (1 << 20) + '"', '1 MiB'),
    ],
)
def test_mistakes_are_named(written, text, reason):
    with pytest.raises(UserError, match=reason):
        load(written(text))


def test_all_bases_of_the_project_could_be_overrides(written):
    for folder in ('losses', 'augmentations', 'schedules'):
        for path in sorted((ROOT / 'configs' / '_base_' / folder).glob('*.py')):
            content = experiment.load_config(str(path))._cfg_dict.to_dict()
            read_override(written(json.dumps(content), f'{path.stem}.json'))
