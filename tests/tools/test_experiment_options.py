"""What a command line and an own config say is what runs, or it is refused."""

import ast
import json

import pytest
from conftest import ROOT, call_tool
from mmengine.config import Config

from mmseg_custom.experiment.build import build_experiment
from mmseg_custom.utils.plain_data import flatten

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


def built(*arguments, config=TOY) -> Config:
    """Return the experiment that train.py would run."""
    import runpy

    parser = runpy.run_path(str(ROOT / 'tools' / 'train.py'))['build_parser']()
    return build_experiment(parser.parse_args([str(config), *map(str, arguments)]))


def options(*texts):
    return built('--cfg-options', *texts)


@pytest.fixture
def own(tmp_path):
    def write(text):
        path = tmp_path / 'own.py'
        path.write_text(f'_base_ = {str(TOY)!r}\n{text}\n')
        return path

    return write


@pytest.mark.parametrize(
    ('option', 'parts'),
    [
        ('optim_wraper.optimizer.lr=1e-4', ['optim_wraper', 'optim_wrapper']),
        ('optim_wrapper.optimzer.lr=1e-4', ['optim_wrapper.optimzer', "'optimizer'"]),
        ('optim_wrapper.optimizer.weight_decy=1', ['weight_decy', "'weight_decay'"]),
        ('model.decode_head.chanels=3', ['model.decode_head.chanels', "'channels'"]),
        ('model.decode_head.loss_decode.class_wieght=[1]', ['class_wieght', "'class_weight'"]),
        ('train_dataloader.batchsize=3', ['train_dataloader.batchsize', "'batch_size'"]),
        ('train_dataloader.dataset.anno_file=x', ['anno_file', "'ann_file'"]),
        ('train_cfg.max_iter=3', ['train_cfg.max_iter', "'max_iters'"]),
        ('randomness.sed=3', ['randomness.sed', "'seed'"]),
        ('default_hooks.chekpoint.interval=3', ['chekpoint', "'checkpoint'"]),
        ('default_hooks.checkpoint.intervall=3', ['intervall', "'interval'"]),
        ('learning_rate=1', ['learning_rate']),
        ('warmup_iters=3', ['warmup_iters', 'no effect']),
        ('norm_cfg.type=GN', ['norm_cfg', 'no effect']),
        ('train_cfg.max_iters=many', ['train_cfg.max_iters', "'many'"]),
        ('batch_size=0', ['batch_size', '0']),
    ],
)
def test_a_key_without_effect_is_refused(option, parts, capsys, tmp_path):
    arguments = [TOY, '--work-dir', tmp_path / 'run', '--cfg-options', option]
    error = call_tool(capsys, 'tools/train.py', *arguments, code=2).err
    assert all(part in error for part in parts), error
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
    ('text', 'parts'),
    [
        ('optim_wraper = dict(optimizer=dict(lr=1.))', ["'optim_wraper'", "'optim_wrapper'"]),
        ('learning_rate = 1.', ["'learning_rate'"]),
        ('warmup_iters = 7', ["'warmup_iters'", 'no effect']),
    ],
)
def test_a_key_without_effect_in_an_own_config_is_refused(text, parts, own, capsys):
    error = call_tool(capsys, 'tools/train.py', own(text), code=2).err
    assert 'own.py' in error
    assert all(part in error for part in parts), error


def test_the_short_names_mean_what_they_say_wherever_they_are(own, tmp_path):
    roots = {'train_dataloader', 'val_dataloader', 'test_dataloader'}
    override = tmp_path / 'change.yaml'
    override.write_text(json.dumps(dict(data_root='/my', batch_size=3, max_iters=80)))
    for cfg in (
        options('data_root=/my', 'batch_size=3', 'max_iters=80'),
        built('--override', override),
        built(config=own("data_root = '/my'\nbatch_size = 3\nmax_iters = 80")),
        built('--data-root', '/my', '--batch-size', 3, '--cfg-options', 'train_cfg.max_iters=80'),
    ):
        assert {cfg[name].dataset.data_root for name in roots} == {'/my'}
        assert cfg.train_dataloader.batch_size == 3
        assert cfg.train_cfg.max_iters == cfg.param_scheduler[-1].end == 80
        assert cfg.param_scheduler[0].end == 5
        assert cfg.train_cfg.val_interval == 16
    cfg = built(config=own("classes = ['Bottle', 'Rest']"))
    assert cfg.model.decode_head.num_classes == 2
    assert options('classes=Bottle,Rest').model.decode_head.num_classes == 2


def test_a_variable_that_an_own_config_uses_is_its_own(own):
    cfg = built(config=own('size = 4\ntrain_dataloader = dict(batch_size=size)'))
    assert cfg.train_dataloader.batch_size == 4


def test_the_order_of_overrides(own, tmp_path):
    """The file, --option, --override, named options, --cfg-options: later ones win."""
    lr = 'optim_wrapper.optimizer.weight_decay'
    config = own('optim_wrapper = dict(accumulative_counts=2)\nrandomness = dict(seed=1)')
    override = tmp_path / 'change.yaml'
    override.write_text('optim_wrapper.accumulative_counts: 8\nrandomness.seed: 2\n')
    assert built(config=config).optim_wrapper.accumulative_counts == 2
    given = ['--option', 'accumulate']
    assert built(*given, config=config).optim_wrapper.accumulative_counts == 4
    given += ['--override', override]
    assert built(*given, config=config).optim_wrapper.accumulative_counts == 8
    assert built(*given, config=config).randomness.seed == 2
    given += ['--seed', 3]
    assert built(*given, config=config).randomness.seed == 3
    given += ['--cfg-options', 'randomness.seed=4', f'{lr}=0.5']
    assert built(*given, config=config).randomness.seed == 4
    # also where a named option sets the part around it
    key = 'model.decode_head.loss_decode.gamma'
    cfg = built('--loss', 'focal', '--cfg-options', f'{key}=5.0')
    assert cfg.model.decode_head.loss_decode.gamma == 5.0


def test_the_length_given_word_for_word_holds(toy_set, capsys):
    data = ['--data-root', toy_set, '--epochs', 10]
    assert built(*data).train_cfg.max_iters == 30
    assert built(*data, '--batch-size', 4).train_cfg.max_iters == 60
    assert built(*data, '--cfg-options', 'train_dataloader.batch_size=12').train_cfg.max_iters == 20
    capsys.readouterr()
    assert built(*data, '--cfg-options', 'train_cfg.max_iters=7').train_cfg.max_iters == 7
    assert '--epochs 10 has no effect' in capsys.readouterr().out


def test_an_inherited_schedule_follows_the_length_of_an_own_config(own, capsys):
    """As `--cfg-options train_cfg.max_iters=80` does, and it is reported."""
    cfg = built(config=own('train_cfg = dict(max_iters=80)'))
    assert (
        'own.py: train_cfg.max_iters is 80: the learning rate schedule' in capsys.readouterr().out
    )
    expected = options('train_cfg.max_iters=80')
    assert cfg.param_scheduler == expected.param_scheduler
    assert [cfg.param_scheduler[0].end, cfg.param_scheduler[1].end] == [5, 80]
    assert cfg.train_cfg.val_interval == expected.train_cfg.val_interval == 16
    assert cfg.default_hooks.checkpoint.interval == expected.default_hooks.checkpoint.interval
    # What the file gives itself is kept.
    text = 'train_cfg = dict(max_iters=80, val_interval=70)\n'
    text += 'default_hooks = dict(checkpoint=dict(interval=60))'
    cfg = built(config=own(text))
    assert [cfg.train_cfg.val_interval, cfg.default_hooks.checkpoint.interval] == [70, 60]
    capsys.readouterr()
    rates = "param_scheduler = [dict(type='PolyLR', by_epoch=False, begin=0, end=33)]\n"
    cfg = built(config=own(f'{rates}train_cfg = dict(max_iters=80)'))
    assert cfg.param_scheduler[0].end == 33
    assert 'is scaled' not in capsys.readouterr().out


def test_what_is_given_with_a_length_is_kept():
    cfg = options('train_cfg.max_iters=80', 'train_cfg.val_interval=70')
    assert cfg.train_cfg.val_interval == 70
    cfg = options('train_cfg.max_iters=80', 'param_scheduler.1.end=33')
    assert cfg.param_scheduler[1].end == 33


def test_the_test_set_follows_the_validation_set(own):
    for cfg in (
        options('val_dataloader.dataset.ann_file=mine.json'),
        built(config=own("val_dataloader = dict(dataset=dict(ann_file='mine.json'))")),
    ):
        assert cfg.test_dataloader.dataset.ann_file == 'mine.json'
    both = "val_dataloader = dict(dataset=dict(ann_file='mine.json'))\n"
    both += "test_dataloader = dict(dataset=dict(ann_file='other.json'))"
    assert built(config=own(both)).test_dataloader.dataset.ann_file == 'other.json'
    cfg = options('test_dataloader.dataset.ann_file=other.json')
    assert cfg.val_dataloader.dataset.ann_file == 'val.json'


@pytest.mark.parametrize(
    ('option', 'key'),
    [
        ('model.decode_head.loss_decode.class_weight=[1.0,2.0,3.0]', 'model.decode_head'),
        ('model.backbone.depths=3', 'model.backbone'),
        ('train_dataloader.batch_size=abc', 'batch_size'),
        ('optim_wrapper.optimizer.lr=fast', 'optim_wrapper'),
        ('model.decode_head.in_channels=[1,2,3,4]', 'model.decode_head'),
        ('train_dataloader.dataset.pipeline.2.ratio_range=3', 'pipeline.2'),
    ],
)
def test_a_builders_complaint_names_the_key(option, key, toy_set, tmp_path, capsys):
    arguments = [TOY, '--data-root', toy_set, '--work-dir', tmp_path, '--cfg-options']
    alone = ['train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
    error = call_tool(capsys, 'tools/train.py', *arguments, *alone, option, code=2).err
    assert key in error


def test_print_config_shows_what_runs_and_where_it_comes_from(toy_set, capsys, own):
    config = own('optim_wrapper = dict(optimizer=dict(lr=0.25))')
    arguments = [config, '--data-root', toy_set, '--loss', 'focal', '--epochs', 2]
    arguments += ['--option', 'ema', '--cfg-options', 'train_dataloader.num_workers=0']
    said = call_tool(capsys, 'tools/print_config.py', *arguments).out
    lines = dict(line.split(' = ', 1) for line in said.splitlines())

    def shown(key):
        value, origin = lines[key].rsplit('  # ', 1)
        return ast.literal_eval(value.strip()), origin

    assert shown('optim_wrapper.optimizer.lr') == (0.25, str(config))
    assert shown('optim_wrapper.optimizer.type') == (
        'AdamW',
        'configs/_base_/schedules/adamw_poly_40k.py',
    )
    assert shown('model.backbone.embed_dims') == (24, 'configs/upernet_swin_toy.py')
    assert shown('model.decode_head.loss_decode.type') == ('SoftmaxFocalLoss', '--loss')
    assert shown('train_cfg.max_iters') == (6, '--epochs')
    assert shown('train_dataloader.num_workers') == (0, '--cfg-options')
    assert shown('train_dataloader.dataset.data_root') == (str(toy_set), '--data-root')
    assert shown('custom_hooks.6.type') == ('EMAHook', '--option')
    assert shown('model.decode_head.num_classes') == (11, 'classes')
    cfg = built(*arguments[1:], config=config)
    for key, value in flatten(cfg.to_dict()):
        if key in lines and key != 'work_dir':
            assert repr(value) == lines[key].rsplit('  # ', 1)[0].strip()


@pytest.mark.parametrize('way', ['--override', '--cfg-options'])
def test_workers_that_somebody_asks_for_are_not_limited(way, tmp_path, monkeypatch):
    from mmseg_custom.experiment import cpu

    monkeypatch.setattr(cpu, '_usable_cores', lambda: 2)
    path = tmp_path / 'workers.yaml'
    path.write_text('train_dataloader: {num_workers: 7}')
    text = path if way == '--override' else 'train_dataloader.num_workers=7'
    assert built(way, text).train_dataloader.num_workers == 7
