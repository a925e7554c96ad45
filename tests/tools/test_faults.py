"""Faults made on purpose in the middle of a training, and what comes after them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import ROOT, call_tool, tool
from processes import ToolProcess
from products import ITERS, SHORT, TOY
from trainings import arguments, assert_same_end

# Data loading workers change nothing.
SERIAL = [f'{part}_dataloader.num_workers=0' for part in ('train', 'val')]


def start(*command, env=None) -> subprocess.Popen:
    """Start processes of a tool, in a process group of their own."""
    return subprocess.Popen(
        [*map(str, command)],
        cwd=ROOT,
        env=os.environ | {'PYTHON': sys.executable} | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def train(*arguments, folder) -> ToolProcess:
    return ToolProcess('tools/train.py', TOY, *arguments, folder=folder)


def train_two(*arguments, env=None) -> subprocess.Popen:
    return start('bash', 'tools/dist_train.sh', TOY, 2, *arguments, env=env)


def wait_for(process, path: Path) -> None:
    deadline = time.monotonic() + 200
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f'{path} does not come'
        time.sleep(0.02)


def end_of(process) -> tuple[int, str]:
    """Return the exit code and what was said."""
    said = ''.join(filter(None, process.communicate(timeout=200)))
    return process.wait(), said


def errors(said: str) -> list[str]:
    assert 'Traceback' not in said, said
    return [line for line in said.splitlines() if line.startswith('train.py: error')]


def processes_of(work_dir, rank: int) -> list[int]:
    """Return the processes of one rank that train in a folder; the first is not a worker."""
    found = []
    for entry in Path('/proc').glob('[0-9]*'):
        try:
            command = (entry / 'cmdline').read_text().split('\0')
            environment = (entry / 'environ').read_text().split('\0')
        except OSError:
            continue
        if str(work_dir) in command and f'RANK={rank}' in environment:
            found.append(int(entry.name))
    return sorted(found)


def step_of(work_dir) -> int:
    name = Path((work_dir / 'last_checkpoint').read_text()).stem
    return int(name.removeprefix('iter_'))


def resumed(toy_set, folder, *more):
    """Resume in this process."""
    return arguments(toy_set, folder, '--resume', *more, options=[*SHORT, *SERIAL])


@pytest.mark.slow
def test_a_training_through_three_faults_ends_as_without_them(trained, toy_set, tmp_path):
    toy, work_dir = shutil.copytree(toy_set, tmp_path / 'toy'), tmp_path / 'work'
    process = train(*arguments(toy, work_dir), folder=tmp_path)
    wait_for(process, work_dir / 'iter_4.pth')
    os.killpg(process.pid, signal.SIGTERM)  # to the workers as well, as Slurm does
    code, said = end_of(process)
    assert code == 143, said
    (message,) = errors(said)
    assert f'stopped by SIGTERM after iteration {step_of(work_dir)} of {ITERS}' in message

    process = train(*arguments(toy, work_dir, '--resume'), folder=tmp_path)
    wait_for(process, work_dir / 'iter_8.pth')
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    code, said = end_of(process)
    assert code == 2, said
    (message,) = errors(said)
    assert 'a data loading worker was killed' in message

    process = train(*arguments(toy, work_dir, '--resume'), folder=tmp_path)
    wait_for(process, work_dir / 'iter_12.pth')
    shutil.move(toy / 'batch_01', tmp_path / 'away')
    code, said = end_of(process)
    assert code == 2, said
    (message,) = errors(said)
    assert 'batch_01' in message
    assert 'no such photo' in message

    shutil.move(tmp_path / 'away', toy / 'batch_01')
    tool('tools/train.py', TOY, *arguments(toy, work_dir, '--resume'))
    assert_same_end(work_dir, trained)
    validated = sorted(path.name for path in (work_dir / 'val').iterdir())
    assert validated == sorted(path.name for path in (trained / 'val').iterdir())


@pytest.mark.slow
def test_sigterm_stops_two_processes_after_the_same_iteration(trained_by_two, toy_set, tmp_path):
    process = train_two(*arguments(toy_set, tmp_path))
    wait_for(process, tmp_path / 'iter_4.pth')
    os.kill(processes_of(tmp_path, 1)[0], signal.SIGTERM)  # only one of them is told
    code, said = end_of(process)
    assert code == 143, said
    messages = errors(said)
    assert messages  # torchrun may end the slower one before it has said it, too
    assert all(f'after iteration {step_of(tmp_path)} of' in message for message in messages)
    tool('tools/dist_train.sh', TOY, 2, *arguments(toy_set, tmp_path, '--resume'))
    assert_same_end(tmp_path, trained_by_two)


@pytest.mark.slow
def test_one_of_two_is_killed_and_torchrun_starts_both_again(trained_by_two, toy_set, tmp_path):
    process = train_two(*arguments(toy_set, tmp_path), env=dict(MAX_RESTARTS='1'))
    wait_for(process, tmp_path / 'iter_4.pth')
    os.kill(processes_of(tmp_path, 1)[0], signal.SIGKILL)
    code, said = end_of(process)
    assert code == 0, said
    assert 'resuming' in said
    assert_same_end(tmp_path, trained_by_two)


@pytest.mark.slow
def test_one_of_two_nodes_loses_its_process_and_both_start_again(
    trained_by_two, toy_set, tmp_path, free_port
):
    env = dict(MAX_RESTARTS='1', NNODES='2', MASTER_ADDR='127.0.0.1', PORT=str(free_port))
    options = [*SHORT, *SERIAL]
    nodes = [
        start(
            *('bash', 'tools/dist_train.sh', TOY, 1),
            *arguments(toy_set, tmp_path, options=options),
            env=env | dict(NODE_RANK=str(rank)),
        )
        for rank in range(2)
    ]
    wait_for(nodes[0], tmp_path / 'iter_4.pth')
    os.kill(processes_of(tmp_path, 1)[0], signal.SIGKILL)
    ends = [end_of(node) for node in nodes]
    assert [code for code, _ in ends] == [0, 0], ends
    assert 'resuming' in ends[0][1]
    assert_same_end(tmp_path, trained_by_two)


@pytest.mark.slow
def test_a_process_whose_torchrun_is_killed_stops(toy_set, tmp_path):
    options = [*SHORT, *SERIAL, 'train_cfg.max_iters=100000']
    command = ['bash', 'tools/dist_train.sh', TOY, 1]
    process = start(*command, *arguments(toy_set, tmp_path, options=options))
    wait_for(process, tmp_path / 'iter_4.pth')
    process.kill()
    _, said = end_of(process)  # the pipe is open as long as something is left
    assert 'stopped by SIGTERM after iteration' in said
    assert not processes_of(tmp_path, 0)


@pytest.mark.slow
def test_one_of_two_processes_hangs_and_the_other_gives_up(toy_set, tmp_path):
    options = [*SHORT, 'train_cfg.max_iters=100000', 'env_cfg.dist_cfg.timeout=10']
    process = train_two(*arguments(toy_set, tmp_path, options=options))
    wait_for(process, tmp_path / 'iter_4.pth')
    os.kill(processes_of(tmp_path, 1)[0], signal.SIGSTOP)
    code, said = end_of(process)
    assert code == 2, said
    (message,) = errors(said)
    assert 'another process of this training ended or hangs' in message
    assert not processes_of(tmp_path, 0)
    assert not processes_of(tmp_path, 1)


@pytest.fixture
def stopped(trained, tmp_path):
    """The training's folder as it was before its end, with two checkpoints."""
    folder = shutil.copytree(trained, tmp_path / 'stopped')
    (folder / f'val/iter_{ITERS:06d}.json').unlink()
    return folder


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(stopped, trained, toy_set, capsys):
    newest = stopped / f'iter_{ITERS}.pth'
    before = (stopped / f'iter_{ITERS - 4}.pth').resolve()
    (stopped / 'last_checkpoint').write_text(str(newest))
    flip(newest)
    said = call_train(capsys, 0, *resumed(toy_set, stopped))
    assert f'{newest}: is truncated or damaged: taking {before}' in said
    assert_same_end(stopped, trained)


def test_a_damaged_checkpoint_that_was_named_is_refused(stopped, toy_set, capsys):
    newest = stopped / f'iter_{ITERS}.pth'
    flip(newest)
    said = call_train(capsys, 2, *resumed(toy_set, stopped, newest))
    assert f'{newest}: is truncated, damaged' in said


class Old:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.makedirs, (str(self.mark), 0o777, True)


@pytest.mark.parametrize('name', ['train', 'test'])
def test_code_in_a_checkpoint_is_run_for_who_trusts_it_only(
    name, stopped, toy_set, tmp_path, capsys
):
    path, mark = stopped / f'iter_{ITERS}.pth', tmp_path / 'was_here'
    content = torch.load(path, weights_only=False)
    content['old'] = Old(mark)
    torch.save(content, path)
    (stopped / 'last_checkpoint').write_text(str(path))
    use = resumed(toy_set, stopped) if name == 'train' else [path, *resumed(toy_set, stopped)]
    if name == 'test':
        use.remove('--resume')
        del use[use.index('--seed') : use.index('--seed') + 2]
        use[use.index('--work-dir')] = '--out'
    said = call_train(capsys, 2, *use, name=name)
    assert f'{path}: holds more than weights' in said
    assert not mark.exists()
    # Behind the model: what belongs together is not parted by an option.
    use.insert(1 if name == 'test' else 0, '--trust-checkpoint')
    call_train(capsys, 0, *use, name=name)
    assert mark.exists()


def call_train(capsys, code: int, *arguments, name: str = 'train') -> str:
    unique = f'experiment_name=faults{time.monotonic_ns()}'
    captured = call_tool(capsys, f'tools/{name}.py', TOY, *arguments, unique, code=code)
    return captured.out + captured.err
