import math

import pytest
from conftest import ROOT

from mmseg_custom.experiment import config as experiment
from mmseg_custom.experiment import datasets, schedule
from mmseg_custom.utils import UserError

TOY = str(ROOT / 'configs' / 'upernet_swin_toy.py')


@pytest.fixture
def cfg():
    return experiment.load_config(TOY)


def test_work_dir_follows_the_config_name_unless_it_is_given():
    assert experiment.load_config(TOY).work_dir == 'work_dirs/upernet_swin_toy'
    assert experiment.load_config(TOY, work_dir='x').work_dir == 'x'


def test_options_override_the_config():
    cfg = experiment.load_config(TOY, ['train_cfg.max_iters=7', 'model.backbone.depths=[1,1]'])
    assert cfg.train_cfg.max_iters == 7
    assert cfg.model.backbone.depths == [1, 1]


@pytest.mark.parametrize('text', ['a = (', 'raise ValueError(3)', "_base_ = 'nowhere.py'"])
def test_a_bad_config_is_named(tmp_path, text):
    path = tmp_path / 'bad.py'
    path.write_text(text)
    with pytest.raises(UserError, match='cannot be read as a config') as error:
        experiment.load_config(str(path))
    assert str(path) in str(error.value)


def test_short_cuts_reach_the_data(cfg, tmp_path):
    fold = tmp_path / 'fold.json'
    fold.write_text('{}')
    options = dict(data_root='d', train_json=str(fold), val_json='v.json', batch_size=3)
    experiment.set_options(cfg, **options, seed=9, amp=False)
    train, val = cfg.train_dataloader, cfg.val_dataloader.dataset
    assert (train.dataset.data_root, train.dataset.ann_file) == ('d', str(fold))
    assert (val.data_root, val.ann_file) == ('d', 'v.json')
    assert cfg.test_dataloader.dataset.ann_file == 'v.json'
    assert (train.batch_size, cfg.randomness.seed) == (3, 9)
    assert cfg.optim_wrapper.type == 'OptimWrapper'


def test_float32_leaves_nothing_of_half_precision(cfg):
    cfg.optim_wrapper.update(dtype='bfloat16', loss_scale='dynamic', use_fsdp=True)
    experiment.set_options(cfg, amp=True)
    assert cfg.optim_wrapper.dtype == 'bfloat16'
    experiment.set_options(cfg, amp=False)
    assert cfg.optim_wrapper.keys() == {'type', 'optimizer', 'paramwise_cfg'}


def test_wrappers_are_looked_through_and_several_sets_are_refused(cfg):
    leaf = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=2, dataset=leaf)
    datasets.set_ann_file(cfg, 'train_dataloader', 'a.json')
    assert cfg.train_dataloader.dataset.dataset.ann_file == 'a.json'
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[leaf, leaf])
    datasets.set_data_root(cfg, 'd')
    with pytest.raises(UserError, match='joins 2 data sets'):
        datasets.set_ann_file(cfg, 'train_dataloader', 'a.json')


@pytest.mark.parametrize(
    'name', ['laptop_efflite0_trash_pseudo_joint', 'laptop_efflite0_trash_online']
)
def test_of_joined_sets_the_labeled_one_reads_the_annotations(name):
    cfg = experiment.load_config(str(ROOT / 'configs' / f'{name}.py'))
    before = [dict(leaf) for leaf in datasets.leaf_datasets(cfg.train_dataloader.dataset)]
    datasets.set_ann_file(cfg, 'train_dataloader', 'fold.json')
    labeled, other = datasets.leaf_datasets(cfg.train_dataloader.dataset)
    assert labeled == dict(before[0], ann_file='fold.json')
    assert other == before[1]


def test_the_schedule_stretches_with_the_iterations(cfg):
    schedule.set_max_iters(cfg, 80)
    warm_up, poly = cfg.param_scheduler
    assert (warm_up.end, poly.begin, poly.end) == (5, 5, 80)
    assert cfg.train_cfg.max_iters == 80
    # at least five validations
    assert cfg.train_cfg.val_interval == 16
    assert cfg.default_hooks.checkpoint.interval == 10


@pytest.mark.parametrize(('iterations', 'first', 'warm_up'), [(80, 20, 2), (4, 1, 0), (8, 2, 0)])
def test_cycles_stretch_with_the_iterations(cfg, iterations, first, warm_up):
    cfg.param_scheduler = [dict(type='CosineWarmupRestartLR', T_0=200, T_up=20, begin=0, end=800)]
    schedule.set_max_iters(cfg, iterations)
    (restarts,) = cfg.param_scheduler
    assert (restarts.T_0, restarts.T_up, restarts.end) == (first, warm_up, iterations)


def test_a_very_short_training_has_no_warm_up(cfg):
    schedule.set_max_iters(cfg, 2)
    (poly,) = cfg.param_scheduler
    assert (poly.type, poly.begin, poly.end) == ('PolyLR', 0, 2)


def test_an_epoch_is_every_photo_once(cfg, toy_set):
    datasets.set_data_root(cfg, str(toy_set))
    for batch, processes in ((4, 1), (5, 1), (4, 2), (5, 3)):
        cfg.train_dataloader.batch_size = batch
        iterations = schedule.iterations_per_epoch(cfg, processes)
        assert iterations == math.ceil(24 / (batch * processes))


def test_pretrained_weights_are_dropped_wherever_they_are():
    model = dict(
        pretrained='x',
        backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='y')),
        neck=dict(init_cfg=dict(type='Kaiming')),
    )
    experiment.drop_pretrained(model)
    assert model == dict(
        pretrained=None, backbone=dict(init_cfg=None), neck=dict(init_cfg=dict(type='Kaiming'))
    )
