import json
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from mmseg_custom.runs.train_command import train_command
from mmseg_custom.runs.trials import plan_trials, run_trials
from mmseg_custom.utils import UserError

WRITE = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
with open(folder / 'runs', 'a') as file:
    file.write('x')
(folder / 'val').mkdir(exist_ok=True)
for number in (4, int(sys.argv[2])):
    content = json.dumps(dict(iter=number, max_iters=8))
    (folder / 'val' / f'iter_{number:06d}.json').write_text(content)
"""


@pytest.fixture
def configs(tmp_path):
    paths = [tmp_path / 'a.py', tmp_path / 'b.py']
    for path in paths:
        path.write_text('x = 1')
    return [str(path) for path in paths]


def writing(last=8):
    return lambda trial: [sys.executable, '-c', WRITE, str(trial.folder), str(last)]


def test_every_combination_is_planned_once(configs, tmp_path):
    trials = plan_trials(configs, [0, 5], [None], tmp_path / 'w')
    assert [(t.name, t.seed) for t in trials] == [('a', 0), ('b', 0), ('a', 5), ('b', 5)]
    assert trials[2].folder == tmp_path / 'w' / 'a' / 'seed_5'
    assert len({t.folder for t in plan_trials(configs, [0, 5], [0, 1, 2], tmp_path)}) == 12
    with pytest.raises(UserError, match='two experiments have this name'):
        plan_trials([configs[0], 'other/a.py'], [0], [None], tmp_path)


@pytest.mark.parametrize('jobs', [1, 3])
def test_finished_trainings_are_not_run_again(configs, tmp_path, jobs):
    trials = plan_trials(configs, [0, 1], [None], tmp_path / 'w')
    run_trials(trials[:2], writing(), jobs)
    run_trials(trials, writing(), jobs)
    assert [(t.folder / 'runs').read_text() for t in trials] == ['x'] * 4
    assert all(t.result()['iter'] == 8 for t in trials)


def test_a_training_that_stops_early_is_told_and_gone_on_with(configs, tmp_path):
    trials = plan_trials(configs, [0], [None], tmp_path / 'w')
    fails = [sys.executable, '-c', 'print("it began"); print("no disk"); raise SystemExit(2)']
    commands = {trials[0]: writing()(trials[0]), trials[1]: fails}
    with pytest.raises(UserError, match=r'b/seed_0/train.log: the training failed \(no disk\)'):
        run_trials(trials, commands.get)
    shutil.rmtree(trials[1].folder)
    commands[trials[1]] = writing(last=6)(trials[1])
    with pytest.raises(UserError, match='the training failed'):
        run_trials(trials, commands.get)
    assert trials[1].result() is None
    assert (trials[0].folder / 'runs').read_text() == 'x'


def test_results_of_another_config_or_arguments_are_not_taken(configs, tmp_path):
    trials = plan_trials(configs, [0], [None], tmp_path / 'w')
    run_trials(trials, writing())
    run_trials(trials, writing())
    with pytest.raises(UserError, match='arguments: was'):
        run_trials(trials, lambda trial: [*writing()(trial), '--epochs', '3'])
    Path(configs[1]).write_text('x = 2')
    with pytest.raises(UserError, match=r'b/seed_0: holds results of.*\n  config: was b\.py'):
        run_trials(trials, writing())


@pytest.mark.parametrize('kind', ['photo of the training', 'photo of the validation', 'unlabeled'])
def test_results_of_other_photos_are_not_taken(toy_set, tmp_path, kind):
    """Also where only the content of a file has changed."""
    data = shutil.copytree(toy_set, tmp_path / 'data')
    source = 'batch_03' if kind == 'unlabeled' else 'train.json'
    config = tmp_path / 'a.py'
    config.write_text(
        'train_dataloader = dict(dataset=dict(dataset=dict('
        f'data_root="/no", ann_file="{source}")))\n'
        f'val_dataloader = dict(dataset=dict(data_root={str(data)!r}, ann_file="val.json"))\n'
    )
    trials = plan_trials([str(config)], [0], [None], tmp_path / 'w')

    def command(trial):
        return [*writing()(trial), '--data-root', str(data)]

    run_trials(trials, command)
    run_trials(trials, command)
    assert (trials[0].folder / 'runs').read_text() == 'x'
    folder = {'unlabeled': 'batch_03', 'photo of the validation': 'batch_02'}.get(kind, 'batch_01')
    photo = min((data / folder).iterdir())
    photo.write_bytes(photo.read_bytes() + b'x')
    with pytest.raises(UserError, match=f'was made from other files: .*{photo.name}'):
        run_trials(trials, command)


def test_the_others_are_ended_when_one_fails(configs, tmp_path):
    trials = plan_trials(configs, [0], [None], tmp_path / 'w')
    sleep = [sys.executable, '-c', 'import time; time.sleep(60)']
    fail = [sys.executable, '-c', 'import time; time.sleep(1); raise SystemExit(1)']
    commands = {trials[0]: fail, trials[1]: sleep}
    start, before = time.monotonic(), set(threading.enumerate())
    with pytest.raises(UserError, match='a/seed_0'):
        run_trials(trials, commands.get, jobs=2)
    assert time.monotonic() - start < 30
    assert not {one for one in threading.enumerate() if not one.daemon} - before


def test_command_lines_of_one_many_and_slurm(configs, tmp_path):
    trial = plan_trials(configs, [7], [2], tmp_path / 'w')[0]
    tools = Path('/t')
    rest = ['--work-dir', str(trial.folder), '--seed', '7', '--resume']
    assert train_command(tools, trial) == [sys.executable, '/t/train.py', configs[0], *rest]
    many = train_command(tools, trial, gpus=4)
    assert many == ['bash', '/t/dist_train.sh', configs[0], '4', *rest]
    slurm = train_command(tools, trial, gpus=4, partition='gpu')
    assert slurm == ['bash', '/t/slurm_train.sh', 'gpu', 'a_fold_2_seed_7', configs[0], *rest]


def test_what_a_trial_is_made_from_is_noted(configs, tmp_path):
    (trial,) = plan_trials(configs[:1], [0], [None], tmp_path / 'w')
    run_trials([trial], writing())
    content = json.loads((trial.folder / 'provenance.json').read_text())['made_from']
    assert content['arguments'][-1] == '8'
    assert content['config']['name'] == 'a.py'
