"""Every training option trains the toy model; those that keep state are resumed exactly."""

import inspect
from functools import partial

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.model import MMFullyShardedDataParallel
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmengine.registry import FUNCTIONS, OPTIM_WRAPPERS, RUNNERS, STRATEGIES
from mmengine.structures import PixelData
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from stand_in_trackers import stand_in
from torch.amp import GradScaler
from trainings import short_experiment

from mmseg_custom.apis import test as apis_test
from mmseg_custom.apis import train
from mmseg_custom.experiment import cpu
from mmseg_custom.experiment.config import load_config
from mmseg_custom.experiment.launch import fit_to_machine
from mmseg_custom.experiment.named_parts import add_options, read_part
from mmseg_custom.utils import UserError
from mmseg_custom.utils.shared import part_names

TOY = str(ROOT / 'configs' / 'upernet_swin_toy.py')
ALONE = [name for name in part_names('options') if name != 'fsdp']
CLASSIFIER = 'decode_head.conv_seg.weight'


@pytest.fixture(scope='module', autouse=True)
def _one_thread():
    """Small tensors: threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def run(toy_set, tmp_path_factory):
    """Return a function that trains the toy config and returns the model and what was saved."""

    def train_toy(*options, change=None, resume=None, **short):
        work_dir = tmp_path_factory.mktemp('work')
        cfg = short_experiment(toy_set, work_dir, *options, **short)
        if change:
            change(cfg)
        fit_to_machine(cfg)
        model = train(cfg, resume)
        return model, work_dir / f'iter_{cfg.train_cfg.max_iters}.pth'

    return train_toy


@pytest.fixture(scope='module')
def plain(run):
    """What two iterations without any option give."""
    return saved(run()[1])


def saved(path):
    return torch.load(path, weights_only=False, map_location='cpu')


def assert_same(first, second):
    """Compare nested tensors and numbers bit for bit."""
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, (list, tuple)):
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert torch.equal(first, second) if torch.is_tensor(first) else first == second


def is_as_without(checkpoint, plain):
    assert_same(checkpoint['state_dict'], plain['state_dict'])


def has_averages(checkpoint, plain):
    raw = checkpoint['ema_state_dict'][f'module.{CLASSIFIER}']
    torch.testing.assert_close(raw, plain['state_dict'][CLASSIFIER])


def has_a_base(checkpoint, plain):
    groups = checkpoint['optimizer']['base']['param_groups']
    assert len(groups) == len(plain['optimizer']['param_groups']) > 1
    assert groups[0]['lookahead_steps'] == 2


def has_many_rates(checkpoint, plain):
    rates = [
        len({group['initial_lr'] for group in part['optimizer']['param_groups']})
        for part in (plain, checkpoint)
    ]
    assert rates == [1, 10]


def made_one_step(checkpoint, plain):
    steps = [part['optimizer']['state'][0]['step'].item() for part in (plain, checkpoint)]
    assert steps == [2, 1]


def logs_the_norm(checkpoint, plain):
    assert 'train/grad_norm' in checkpoint['message_hub']['log_scalars']


def saw_other_photos(checkpoint, plain):
    losses = [part['message_hub']['log_scalars']['train/loss'].data for part in (plain, checkpoint)]
    assert (losses[0][0] != losses[1][0]).all()


def is_in_bfloat16(checkpoint, plain):
    if not cpu.computes_bf16():
        is_as_without(checkpoint, plain)
        return
    weights = [part['state_dict'][CLASSIFIER] for part in (plain, checkpoint)]
    assert weights[1].dtype == torch.float32
    assert not torch.equal(*weights)
    torch.testing.assert_close(*weights, rtol=0, atol=0.05)
    losses = [part['message_hub']['log_scalars']['train/loss'].data for part in (plain, checkpoint)]
    assert losses[1][0][0] == pytest.approx(losses[0][0][0], rel=0.02)


def trained_the_head_alone(checkpoint, plain):
    moved = [len(part['optimizer']['state']) for part in (plain, checkpoint)]
    heads = sum(name.startswith(('decode_head', 'auxiliary_head')) for name in plain['state_dict'])
    assert 0 < moved[1] <= heads < moved[0]


EFFECTS = dict(
    accumulate=made_one_step,
    bf16=is_in_bfloat16,
    cached_samples=is_as_without,
    checkpointing=is_as_without,
    clearml=is_as_without,  # tests/…/test_tracked_run.py has what they log
    clip_grad=logs_the_norm,
    compile=is_as_without,
    early_stopping=is_as_without,
    ema=has_averages,
    fp16=is_in_bfloat16,  # which a CPU has instead
    frozen_features=trained_the_head_alone,
    layer_decay=has_many_rates,
    lookahead=has_a_base,
    mlflow=is_as_without,
    ranger=has_a_base,
    repeat_factor=saw_other_photos,
    swa=has_averages,
    wandb=is_as_without,
)


def in_seconds(cfg):
    """Leave out the C++ compiler, which takes minutes; the graph is traced all the same."""
    for hook in cfg.custom_hooks:
        if hook['type'] == 'CompileBackboneHook':
            hook['backend'] = 'eager'


@pytest.mark.parametrize('name', ALONE)
def test_an_option_trains_and_does_what_it_says(run, plain, name, monkeypatch):
    if name in ('clearml', 'mlflow', 'wandb'):
        stand_in(name, monkeypatch)
    model, path = run(name, change=in_seconds)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    EFFECTS[name](saved(path), plain)


@pytest.mark.parametrize(
    'options', [('ema', 'ranger', 'repeat_factor'), ('swa', 'lookahead', 'clip_grad', 'accumulate')]
)
def test_a_stopped_run_is_resumed_exactly(run, options):
    def change(cfg):
        restarts = dict(type='CosineWarmupRestartLR', T_0=3, T_up=1, gamma=0.5, by_epoch=False)
        cfg.param_scheduler = [restarts]
        cfg.optim_wrapper.optimizer.k = 4
        if 'swa' in options:
            cfg.custom_hooks[-1]['begin'] = 0.5
            # Half as many steps: three before the sixth iteration's end.
            cfg.optim_wrapper.update(accumulative_counts=2)
            cfg.optim_wrapper.optimizer.k = 2

    _, whole = run(*options, change=change, iterations=8)
    _, resumed = run(
        *options, change=change, iterations=8, resume=str(whole.with_name('iter_6.pth'))
    )
    whole, resumed = saved(whole), saved(resumed)
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        assert_same(resumed[part], whole[part])
    assert not torch.equal(
        whole['state_dict'][CLASSIFIER], whole['ema_state_dict'][f'module.{CLASSIFIER}']
    )


def test_a_stopped_run_with_amp_is_resumed_exactly(run, monkeypatch):
    """MMEngine's AMP asks for a GPU; the CPU stands in, with its own autocast and loss scaler."""
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available', lambda: True)
    monkeypatch.setattr(amp_optimizer_wrapper, 'GradScaler', partial(GradScaler, device='cpu'))
    monkeypatch.setattr(cpu, 'set_precision', lambda cfg, amp: '')

    def change(cfg):
        # Overflows at first and again after two good steps: which steps are left out depends on
        # the scaler's state.
        cfg.optim_wrapper.loss_scale = dict(init_scale=2.0**127, growth_interval=2)
        cfg.model.decode_head.loss_decode.loss_weight = 20.0

    _, whole = run('bf16', 'ema', change=change, iterations=8)
    _, resumed = run(
        'bf16', 'ema', change=change, iterations=8, resume=str(whole.with_name('iter_6.pth'))
    )
    half = saved(whole.with_name('iter_6.pth'))
    whole, resumed = saved(whole), saved(resumed)
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        assert_same(resumed[part], whole[part])
    steps = [part['optimizer']['state'][0]['step'].item() for part in (half, whole)]
    assert 0 < steps[0] < 6
    assert steps[0] < steps[1] < steps[0] + 4
    assert half['optimizer']['loss_scaler']['scale'] < 2.0**127


def test_the_moving_average_is_validated_saved_and_tested(run, toy_set, monkeypatch):
    seen = dict(loss=[], predict=[])
    for mode in seen:
        original = getattr(EncoderDecoder, mode)

        def spy(self, *args, mode=mode, original=original):
            seen[mode].append(self.state_dict()[CLASSIFIER].clone())
            return original(self, *args)

        monkeypatch.setattr(EncoderDecoder, mode, spy)
    model, path = run('ema', iterations=4)
    checkpoint = saved(path)
    last = model.state_dict()[CLASSIFIER]
    average, *later = [*seen['loss'][1:], last]
    for steps, weights in enumerate(later, 1):
        # The annealed momentum: gamma / (gamma + steps).
        average = average + (weights - average) * 100 / (100 + steps)
    torch.testing.assert_close(checkpoint['state_dict'][CLASSIFIER], average)
    assert all(torch.equal(w, checkpoint['state_dict'][CLASSIFIER]) for w in seen['predict'][-7:])
    assert torch.equal(checkpoint['ema_state_dict'][f'module.{CLASSIFIER}'], last)
    assert not torch.allclose(average, last, rtol=1e-6)

    validated = checkpoint['message_hub']['log_scalars']['val/mBoundaryIoU'].data[0][-1]
    cfg = short_experiment(toy_set, path.parent / 'test', 'ema')
    fit_to_machine(cfg)
    assert apis_test(cfg, str(path))['mBoundaryIoU'] == validated


def test_the_schedule_with_restarts_trains(run, tmp_path):
    bases = [ROOT / 'configs' / '_base_' / name for name in (
        'datasets/trash_coco.py', 'schedules/radam_cosine_restarts.py', 'default_runtime.py'
    )]  # fmt: skip
    config = tmp_path / 'radam.py'
    model = Config.fromfile(TOY).model.to_dict()
    config.write_text(f'_base_ = {[str(base) for base in bases]}\nmodel = {model}')
    cfg = Config.fromfile(str(config))
    (schedule,) = cfg.param_scheduler
    assert schedule.end == cfg.train_cfg.max_iters
    assert schedule.end % schedule.T_0 == 0
    _, path = run(config=config, iterations=4)
    checkpoint = saved(path)
    assert checkpoint['param_schedulers'][0]['T_0'] == 1
    assert checkpoint['optimizer']['state'][0]['step'] == 4


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_the_toy_model_survives_half_precision(dtype):
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(TOY).model)
    label = PixelData(data=torch.randint(0, 11, (1, 64, 64)))
    sample = SegDataSample(metainfo=dict(img_shape=(64, 64)), gt_sem_seg=label)
    with torch.autocast('cpu', dtype):
        losses = model.loss(torch.randn(2, 3, 64, 64), [sample, sample])
    loss = losses['decode.loss_ce'] + losses['aux.loss_ce']
    loss.backward()
    assert loss.dtype == torch.float32
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_flexible_runner_trains_and_resumes_as_the_plain_one(run):
    def flexible(cfg):
        cfg.update(runner_type='TrashFlexibleRunner', strategy=dict(type='SingleDeviceStrategy'))

    _, ours = run(change=flexible, iterations=4)
    _, resumed = run(change=flexible, iterations=4, resume=str(ours.with_name('iter_2.pth')))
    _, theirs = run(iterations=4)
    assert_same(saved(ours)['state_dict'], saved(theirs)['state_dict'])
    assert_same(saved(resumed)['state_dict'], saved(theirs)['state_dict'])


def test_a_split_model_is_described_as_mmengine_wants_it():
    cfg = load_config(TOY)
    add_options(cfg, ['fsdp'])
    assert RUNNERS.get(cfg.runner_type).__name__ == 'TrashFlexibleRunner'
    OPTIM_WRAPPERS.get(cfg.optim_wrapper.type)
    strategy = dict(cfg.strategy)
    accepted = inspect.signature(STRATEGIES.get(strategy.pop('type'))).parameters
    assert strategy.keys() <= accepted.keys()
    with pytest.raises(UserError, match='FSDP splits the model over'):
        fit_to_machine(cfg)


def test_fsdp_wraps_by_a_policy_that_exists():
    wrapper = read_part('options', 'fsdp', 'strategy')['model_wrapper']
    accepted = inspect.signature(MMFullyShardedDataParallel).parameters
    assert wrapper.keys() - {'use_orig_params'} <= accepted.keys()
    policy = dict(wrapper['auto_wrap_policy'])
    assert callable(FUNCTIONS.get(policy.pop('type')))
