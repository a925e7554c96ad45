import datetime
from unittest import mock

import pytest
from conftest import ROOT
from mmengine.config import Config

from mmseg_custom.experiment import config as experiment
from mmseg_custom.experiment import launch
from mmseg_custom.utils import UserError


@pytest.fixture
def cfg():
    return experiment.load_config(str(ROOT / 'configs' / 'upernet_swin_trash.py'))


def machine(cuda):
    return mock.patch.object(launch, 'is_cuda_available', return_value=cuda)


def test_a_gpu_gets_the_config_as_it_is(cfg):
    with machine(cuda=True):
        launch.fit_to_machine(cfg, 'pytorch')
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.sync_bn == 'torch'
    assert 'model_wrapper_cfg' not in cfg
    assert cfg.launcher == 'pytorch'


def test_a_cpu_gets_float32_and_plain_batch_norm(cfg):
    cfg.optim_wrapper.dtype = 'bfloat16'
    with machine(cuda=False):
        launch.fit_to_machine(cfg)
    assert cfg.optim_wrapper.type == 'OptimWrapper'
    assert 'dtype' not in cfg.optim_wrapper
    assert 'sync_bn' not in cfg
    assert 'model_wrapper_cfg' not in cfg


def test_several_cpu_processes_get_gloo_and_ddp_without_devices(cfg):
    with machine(cuda=False), mock.patch.object(launch, 'start_gloo') as start:
        launch.fit_to_machine(cfg, 'pytorch')
    start.assert_called_once_with('pytorch', 600)
    assert cfg.model_wrapper_cfg.device_ids is None


@pytest.mark.parametrize(('cuda', 'launcher'), [(False, 'pytorch'), (True, 'none')])
def test_a_model_split_over_gpus_wants_gpus_and_a_launcher(cfg, cuda, launcher):
    cfg.strategy = dict(type='FSDPStrategy')
    with machine(cuda), pytest.raises(UserError, match='start it with tools/dist_train.sh'):
        launch.fit_to_machine(cfg, launcher)
    with machine(cuda=True):
        launch.fit_to_machine(cfg, 'pytorch')


def test_slurm_variables_become_those_of_torch(monkeypatch):
    for name, value in dict(PROCID=3, NTASKS=8, LOCALID=1).items():
        monkeypatch.setenv(f'SLURM_{name}', str(value))
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_PORT'):
        monkeypatch.setenv(name, 'x')
        monkeypatch.delenv(name)
    with mock.patch.object(launch.torch_dist, 'init_process_group') as init:
        launch.start_gloo('slurm', 90)
    init.assert_called_once_with('gloo', timeout=datetime.timedelta(seconds=90))
    environment = launch.os.environ
    assert [environment[n] for n in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')] == ['3', '8', '1']
    assert launch.world_size() == 8


@pytest.mark.parametrize('name', ['TORCHELASTIC_RESTART_COUNT', 'SLURM_RESTART_COUNT'])
def test_launchers_say_when_they_start_again(name, monkeypatch):
    monkeypatch.delenv('TORCHELASTIC_RESTART_COUNT', raising=False)
    monkeypatch.delenv('SLURM_RESTART_COUNT', raising=False)
    assert not launch.was_restarted()
    monkeypatch.setenv(name, '0')
    assert not launch.was_restarted()
    monkeypatch.setenv(name, '2')
    assert launch.was_restarted()


@pytest.mark.parametrize(
    ('launcher', 'processes', 'gpus', 'refused'),
    [
        ('pytorch', 3, 2, True),
        ('pytorch', 2, 2, False),
        # Slurm may show each process one GPU, its own.
        ('slurm', 4, 1, False),
        ('none', 1, 1, False),
    ],
)
@pytest.mark.parametrize(
    'command', [launch.join_processes, lambda x: launch.fit_to_machine(Config(), x)]
)
def test_more_processes_than_gpus_are_refused(
    monkeypatch, launcher, processes, gpus, refused, command
):
    monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setattr('mmseg_custom.experiment.launch.is_cuda_available', lambda: True)
    monkeypatch.setattr('mmseg_custom.experiment.launch.start_gloo', lambda *args: None)
    monkeypatch.setattr('torch.cuda.device_count', lambda: gpus)
    monkeypatch.setattr('torch.cuda.set_device', lambda device: None)
    if refused:
        with pytest.raises(UserError, match='3 processes on a machine with 2 GPUs'):
            command(launcher)
    else:
        command(launcher)
