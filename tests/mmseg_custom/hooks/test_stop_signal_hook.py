"""A time limit stops a training where it can be continued."""

from types import SimpleNamespace

import pytest
import torch
from conftest import ROOT
from trainings import short_experiment

from mmseg_custom.apis import train
from mmseg_custom.experiment.build import set_max_hours
from mmseg_custom.experiment.launch import fit_to_machine
from mmseg_custom.hooks import stop_signal_hook
from mmseg_custom.utils.stop_signal import TrainingStopped

pytestmark = pytest.mark.slow


@pytest.fixture
def run(toy_set, tmp_path):
    def train_toy(name, hours=None, resume=None):
        cfg = short_experiment(toy_set, tmp_path / name, iterations=4)
        if hours:
            set_max_hours(cfg, hours)
        fit_to_machine(cfg)
        train(cfg, resume)
        return torch.load(tmp_path / name / 'iter_4.pth', weights_only=False)['state_dict']

    return train_toy


def test_a_training_out_of_time_is_continued_exactly(run, tmp_path, monkeypatch):
    whole = run('whole', hours=1)
    # Read at the start, after two iterations, and after the seven photos of a validation.
    reads = iter([0] * 10)
    clock = SimpleNamespace(time=lambda: next(reads, 7200))
    monkeypatch.setattr(stop_signal_hook, 'time', clock)
    with pytest.raises(TrainingStopped, match='stopped after 2 hours, after iteration 3') as stop:
        run('cut', hours=2)
    assert stop.value.exit_code == 124
    monkeypatch.undo()
    assert (tmp_path / 'cut' / 'iter_3.pth').exists()
    resumed = run('cut', resume='auto')
    assert all(torch.equal(resumed[key], whole[key]) for key in whole)


def test_processes_that_are_started_again_have_no_new_time(monkeypatch):
    script = (ROOT / 'tools' / 'dist_common.sh').read_text()
    assert f'export {stop_signal_hook.LAUNCHED_AT}' in script
    monkeypatch.setenv(stop_signal_hook.LAUNCHED_AT, '1000')
    monkeypatch.setattr(stop_signal_hook, 'time', SimpleNamespace(time=lambda: 1000 + 3600))
    assert stop_signal_hook.StopSignalHook(max_hours=1)._reason() == stop_signal_hook.TIME
    assert stop_signal_hook.StopSignalHook(max_hours=1.1)._reason() == 0
    assert stop_signal_hook.StopSignalHook()._reason() == 0
