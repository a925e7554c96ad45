"""Trackers get scalars, per-class IoU and pictures, and a resumed training continues its run."""

import importlib
import inspect
import json
import math
import sys

import numpy as np
import pytest
from stand_in_trackers import MAKE, Sent, stand_in
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from trainings import short_experiment

from mmseg_custom.apis import train
from mmseg_custom.experiment.launch import fit_to_machine
from mmseg_custom.utils import UserError

pytestmark = pytest.mark.slow
PICTURES = 4  # of seven photos of 64x64, beside each other: photo, truth, prediction
SHAPE = (64, 3 * 64, 3)


@pytest.fixture
def run(toy_set, tmp_path):
    """Return a function that trains for some iterations in one work folder."""

    def train_toy(*options, iterations=2, resume=None, change=lambda cfg: None):
        cfg = short_experiment(toy_set, tmp_path / 'work', *options, iterations=iterations)
        # Sessions of one second would share a folder, and experiments of the same name a run.
        cfg.default_hooks.logger.interval = 1
        change(cfg)
        fit_to_machine(cfg)
        train(cfg, resume, allow_changes=bool(resume))
        return tmp_path / 'work'

    return train_toy


def ious(folder, iteration):
    """Return the per-class IoU in percent that a validation wrote."""
    content = json.loads((folder / 'val' / f'iter_{iteration:06d}.json').read_text())
    pairs = zip(content['classes'], content['per_class']['IoU'], strict=True)
    return {f'IoU/{k}': 100 * v for k, v in pairs if v is not None and not math.isnan(v)}


def scalars(package: str, sent: Sent) -> dict[str, list[float]]:
    """Return what a tracker got, by name."""
    found: dict[str, list[float]] = {}
    if package == 'clearml':
        for one in sent.of('report_scalar'):
            found.setdefault(one['title'], []).append(one['value'])
    for one in (*sent.of('log'), *sent.of('log_metrics')):
        for name, value in one.items():
            found.setdefault(name, []).append(value)
    return found


def pictures(package: str, sent: Sent) -> list[tuple[str, np.ndarray]]:
    if package == 'wandb':
        pairs = [pair for one in sent.of('log') for pair in one.items()]
        return [(name, value) for name, value in pairs if isinstance(value, np.ndarray)]
    if package == 'mlflow':
        return [(one['artifact_file'], one['image']) for one in sent.of('log_image')]
    return [(one['title'], one['image']) for one in sent.of('report_image')]


def run_id(package: str, sent: Sent) -> str:
    if package == 'mlflow':
        return sent.of('log_params')[0]['run']
    if package == 'wandb':
        return sent.of('init')[0]['id']
    return sys.modules['clearml'].Task.id


@pytest.mark.parametrize('package', MAKE)
def test_a_tracker_gets_all_and_continues_its_run(package, run, monkeypatch, session_names):
    monkeypatch.delenv('MLFLOW_RUN_ID', raising=False)
    first = stand_in(package, monkeypatch)
    folder = run(package)
    found = scalars(package, first)
    assert len(found['loss']) == 2
    assert found['mIoU']
    for name, value in ious(folder, 2).items():
        assert found[name] == [pytest.approx(value, abs=0.006)]
    drawn = pictures(package, first)
    assert len({name for name, _ in drawn}) == len(drawn) == PICTURES
    assert all(picture.shape == SHAPE for _, picture in drawn)
    assert all(name.endswith('.png') for name, _ in drawn)

    original = run_id(package, first)
    second = stand_in(package, monkeypatch)
    run(package, iterations=4, resume='auto')
    assert run_id(package, second) == original
    assert len(scalars(package, second)['loss']) == 2
    third = stand_in(package, monkeypatch)
    run(package)
    assert run_id(package, third) != original


@pytest.fixture
def session_names(monkeypatch):
    """Let each session have a folder of its own, also where two begin in one second."""
    from mmengine.runner import Runner

    original, number = Runner.setup_env, iter(range(100, 1000))

    def setup_env(self, env_cfg):
        original(self, env_cfg)
        self._timestamp = f'20260101_000{next(number)}'

    monkeypatch.setattr(Runner, 'setup_env', setup_env)


def test_tensorboard_shows_one_run_with_pictures_however_often_it_is_resumed(run, session_names):
    folder = run(iterations=4)
    # From the middle: the steps 3 and 4 are measured again.
    (folder / 'iter_4.pth').unlink()
    (folder / 'last_checkpoint').write_text('iter_2.pth')
    run(iterations=6, resume='auto')
    written = {path.parent for path in folder.rglob('events.out.tfevents*')}
    assert len(written) == 1
    events = EventAccumulator(str(*written), size_guidance=dict(images=0, scalars=0)).Reload()
    assert [event.step for event in events.Scalars('loss')] == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in events.Scalars('mIoU')] == [2, 4, 6]
    for name, value in ious(folder, 6).items():
        assert events.Scalars(name)[-1].value == pytest.approx(value, abs=0.006)
    names = events.Tags()['images']
    assert len(names) == PICTURES
    assert {(one.width, one.height) for one in events.Images(names[0])} == {(SHAPE[1], SHAPE[0])}
    assert [one.step for one in events.Images(names[0])] == [2, 4, 6]


@pytest.mark.parametrize('package', MAKE)
def test_a_missing_package_is_one_message(package, run, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf'{package} is missing: pip install .*\[trackers\]'):
        run(package)


@pytest.mark.parametrize('package', MAKE)
def test_stand_ins_take_what_the_real_ones_take(package):
    real = pytest.importorskip(package, reason='pip install -e ".[trackers]"')
    ours = MAKE[package](Sent())
    for name, function in ours.items():
        theirs = getattr(real, name, None)
        assert theirs is not None or name in ('run', 'config', 'MlflowException')
        if inspect.isfunction(function) and inspect.isfunction(theirs):
            known = inspect.signature(theirs).parameters
            assert inspect.signature(function).parameters.keys() - known.keys() <= {
                'arguments',
                'options',
            }
    importlib.import_module(package)
