import os
from unittest import mock

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config

from mmseg_custom.experiment import config as experiment
from mmseg_custom.experiment import cpu, launch, process_group
from mmseg_custom.experiment.named_parts import add_options
from mmseg_custom.utils import UserError


@pytest.fixture(autouse=True)
def _started_by_torchrun(monkeypatch):
    """Set what torchrun sets; this process must outlive its own parent."""
    for name, value in dict(RANK='0', WORLD_SIZE='2', LOCAL_RANK='0').items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(process_group, 'outlive_parent_shortly', lambda: None)


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
    with machine(cuda=False):
        launch.fit_to_machine(cfg)
    assert cfg.optim_wrapper.type == 'OptimWrapper'
    assert 'dtype' not in cfg.optim_wrapper
    assert 'sync_bn' not in cfg
    assert 'model_wrapper_cfg' not in cfg


@pytest.mark.parametrize(
    ('option', 'amp', 'chip', 'kind', 'said'),
    [
        (None, None, True, 'OptimWrapper', None),
        (None, False, True, 'OptimWrapper', None),
        (None, True, True, 'CpuAmpOptimWrapper', 'in bfloat16 on the CPU'),
        (None, True, False, 'OptimWrapper', 'no avx512_bf16, so training is in float32'),
        ('bf16', None, True, 'CpuAmpOptimWrapper', 'in bfloat16 on the CPU'),
        ('fp16', None, True, 'CpuAmpOptimWrapper', 'in bfloat16 on the CPU'),
        ('fp16', None, False, 'OptimWrapper', 'in float32'),
    ],
)
def test_a_cpu_trains_in_bfloat16_if_asked_and_able(
    cfg, monkeypatch, option, amp, chip, kind, said
):
    add_options(cfg, [option] if option else [])
    experiment.set_options(cfg, amp=amp)
    monkeypatch.setattr(cpu, 'computes_bf16', lambda: chip)
    with machine(cuda=False):
        lines = launch.fit_to_machine(cfg, amp=amp, given=LOADERS)
    assert cfg.optim_wrapper.type == kind
    assert cfg.optim_wrapper.keys() == {'type', 'optimizer', 'paramwise_cfg'}
    assert ' '.join(lines).endswith(said or '')
    assert bool(lines) == bool(said)


LOADERS = [f'{name}_dataloader.num_workers' for name in ('train', 'val', 'test')]


@pytest.mark.parametrize(
    ('cores', 'neighbors', 'given', 'workers'),
    [(2, 1, [], 2), (1, 1, [], 1), (16, 1, [], 4), (16, 8, [], 2), (2, 1, LOADERS[:1], 4)],
)
def test_workers_and_threads_follow_the_machine(cfg, monkeypatch, cores, neighbors, given, workers):
    monkeypatch.setattr(cpu, '_usable_cores', lambda: cores)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', str(neighbors))
    for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS'):
        monkeypatch.setenv(name, 'x')
        monkeypatch.delenv(name)
    threads = torch.get_num_threads()
    try:
        with machine(cuda=False), mock.patch.object(launch, 'start_gloo'):
            said = launch.fit_to_machine(cfg, 'pytorch', given=given)
        assert torch.get_num_threads() == cores // neighbors
    finally:
        torch.set_num_threads(threads)
    assert os.environ['OMP_NUM_THREADS'] == os.environ['MKL_NUM_THREADS'] == str(cores // neighbors)
    assert cfg.train_dataloader.num_workers == workers
    assert bool(said) == (cores // neighbors < 4)
    limit = min(4, cores // neighbors)
    assert cfg.val_dataloader.num_workers == cfg.test_dataloader.num_workers == limit


def test_several_cpu_processes_get_gloo_and_ddp_without_devices(cfg):
    with machine(cuda=False), mock.patch.object(launch, 'start_gloo') as start:
        launch.fit_to_machine(cfg, 'pytorch')
    start.assert_called_once_with('pytorch', 600)
    assert cfg.model_wrapper_cfg.device_ids is None


@pytest.mark.parametrize(
    ('cuda', 'launcher', 'refused'),
    [
        (True, 'none', True),
        (False, 'none', True),
        (False, 'pytorch', False),
        (True, 'pytorch', False),
    ],
)
def test_a_split_model_wants_several_processes(cfg, cuda, launcher, refused):
    cfg.strategy = dict(type='FSDPStrategy')
    with machine(cuda), mock.patch.object(launch, 'start_gloo'):
        if refused:
            with pytest.raises(UserError, match='start it with tools/dist_train.sh'):
                launch.fit_to_machine(cfg, launcher)
        else:
            launch.fit_to_machine(cfg, launcher)
            assert 'model_wrapper_cfg' not in cfg


@pytest.mark.parametrize(
    ('options', 'named'), [(['ema'], 'EMAHook'), (['swa', 'clip_grad'], 'SWAHook, clip_grad')]
)
def test_what_needs_the_complete_model_does_not_go_with_fsdp(cfg, options, named):
    add_options(cfg, ['fsdp', *options])
    with (
        machine(cuda=True),
        pytest.raises(UserError, match=f'^{named}: needs the complete model'),
    ):
        launch.fit_to_machine(cfg, 'pytorch')


@pytest.fixture
def slurm_step(monkeypatch):
    """Set what Slurm tells a process of a step, and nothing that torchrun would."""
    names = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_PORT', 'MASTER_ADDR', 'OMP_NUM_THREADS')
    for name in names:
        monkeypatch.setenv(name, 'x')
        monkeypatch.delenv(name)

    def set_step(**values) -> None:
        values = dict(PROCID=3, NTASKS=8, LOCALID=1, STEP_NODELIST='localhost') | values
        for name, value in values.items():
            monkeypatch.setenv(f'SLURM_{name}', str(value))
        monkeypatch.delenv('MASTER_PORT', raising=False)
        process_group.prepare_launch('slurm')

    monkeypatch.setattr(process_group, '_scontrol', lambda *words: 'localhost\n')
    return set_step


def test_slurm_variables_become_those_of_torch(slurm_step):
    slurm_step(JOB_ID=7, STEP_ID=0)
    names = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR')
    assert [os.environ[name] for name in names] == ['3', '8', '1', 'localhost']
    assert launch.world_size() == 8


@pytest.mark.parametrize(('launcher', 'name'), [('slurm', 'SLURM_PROCID'), ('pytorch', 'RANK')])
def test_a_process_that_its_launcher_did_not_start_says_so(cfg, monkeypatch, launcher, name):
    monkeypatch.delenv(name, raising=False)
    with (
        machine(cuda=False),
        pytest.raises(UserError, match=f'not started by {launcher}.*: {name} is not set'),
    ):
        launch.fit_to_machine(cfg, launcher)


def test_jobs_that_follow_each_other_have_ports_of_their_own(slurm_step):
    ports = set()
    for job in range(4_200_000, 4_200_300):
        for step in range(5):
            slurm_step(JOB_ID=job, STEP_ID=step)
            ports.add(int(os.environ['MASTER_PORT']))
    assert len(ports) == 1500
    assert min(ports) > 1023
    assert max(ports) < 32768


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
    for name in ('prepare_launch', 'start_gloo'):
        monkeypatch.setattr(f'mmseg_custom.experiment.launch.{name}', lambda *args: None)
    monkeypatch.setattr('torch.cuda.device_count', lambda: gpus)
    monkeypatch.setattr('torch.cuda.set_device', lambda device: None)
    if refused:
        with pytest.raises(UserError, match='3 processes on a machine with 2 GPUs'):
            command(launcher)
    else:
        command(launcher)
