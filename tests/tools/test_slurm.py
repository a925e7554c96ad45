"""The slurm_*.sh scripts on a real Slurm; skipped where its packages are not installed."""

import contextlib
import os
import re
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, call_tool
from products import ITERS, SHORT, TOY
from slurm_cluster import Cluster, why_not
from trainings import arguments, assert_same_end

SERIAL = [f'{part}_dataloader.num_workers=0' for part in ('train', 'val')]


@pytest.fixture(scope='module')
def cluster(tmp_path_factory):
    """Slurm with two virtual nodes."""
    if why_not():
        pytest.skip(why_not())
    with Cluster(tmp_path_factory.mktemp('slurm')) as running:
        yield running


@pytest.fixture
def submit(cluster):
    """Submit a command for two processes, one a node, or for what ``sbatch`` is given."""

    def submit(command, *options, sbatch=('--nodes=2', '--ntasks=2')) -> str:
        text = ' '.join(['tools/' + command, 'cpu', 'job', *map(shlex.quote, map(str, options))])
        options = ['--partition=cpu', '--requeue', f'--chdir={ROOT}', *sbatch]
        return cluster.submit('sbatch', *options, '--wrap', text, env=dict(PYTHON=sys.executable))

    return submit


def sbatch_lines() -> list[list[str]]:
    """Return the sbatch commands of the page as words."""
    text = (ROOT / 'docs/faults.md').read_text().replace('\\\n', ' ')
    return [shlex.split(line) for line in re.findall(r'^sbatch .*', text, re.M)]


def stop_at_time_limit(cluster, job: str, work_dir: Path) -> None:
    """Hold the training until Slurm has sent the signal of the time limit."""
    with held(cluster, job, work_dir) as pids:
        assert len(pids) == 2
        cluster.call('scontrol', 'update', f'JobId={job}', 'TimeLimit=2')
        cluster.wait_until(job, lambda: all(has_signal(pid) for pid in pids))
    cluster.wait_until(job, lambda: cluster.facts(job).get('Reason') == 'BeginTime')

    def has_time() -> bool:
        # Slurm refuses it as long as the job's first run is being cleared away.
        cluster.call('scontrol', 'update', f'JobId={job}', 'TimeLimit=60')
        return cluster.facts(job).get('TimeLimit') == '01:00:00'

    cluster.wait_until(job, has_time)


@contextlib.contextmanager
def held(cluster, job: str, work_dir: Path):
    """Hold a training behind its first checkpoint, however slow Slurm answers; yields its pids."""
    pids = []

    def is_held() -> bool:
        # Slurm is asked between the calls: a short training could end meanwhile.
        for _ in range(200):
            if (work_dir / 'iter_4.pth').exists():
                pids.extend(trainers(work_dir))
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                return True
            time.sleep(0.01)
        return False

    cluster.wait_until(job, is_held)
    try:
        yield pids
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def trainers(work_dir: Path) -> list[int]:
    """Return the processes that Slurm itself has started to train in a folder."""
    found = []
    for command in Path('/proc').glob('[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            parent = re.search(r'PPid:\s*(\d+)', command.with_name('status').read_text())[1]
            name = Path(f'/proc/{parent}/comm').read_text().strip()
            if str(work_dir) in command.read_text().split('\0') and name == 'slurmstepd':
                found.append(int(command.parent.name))
    return found


def has_signal(pid: int) -> bool:
    """Return whether SIGTERM waits for a process that is stopped, or has ended it."""
    try:
        status = Path(f'/proc/{pid}/status').read_text()
    except FileNotFoundError:
        return True
    waiting = re.search(r'^ShdPnd:\s*(\w+)', status, re.M)[1]
    return 'stopped' not in status or bool(int(waiting, 16) >> (signal.SIGTERM - 1) & 1)


def test_a_job_that_runs_out_of_time_is_queued_again_and_loses_nothing(
    cluster, trained_by_two, toy_set, tmp_path
):
    (line,) = (words for words in sbatch_lines() if '--partition=cpu' in words)
    more = ' '.join(shlex.quote(word) for word in arguments(toy_set, tmp_path))
    line[-1] = line[-1].replace('configs/upernet_swin_trash.py', f'{TOY} {more}')
    job = cluster.submit(*line, f'--chdir={ROOT}', env=dict(PYTHON=sys.executable))
    stop_at_time_limit(cluster, job, tmp_path)
    facts = cluster.wait_for_end(job)
    said = cluster.output(job)
    assert (facts['JobState'], facts['Restarts']) == ('COMPLETED', '1'), f'{facts}\n{said}'
    assert facts['NodeList'] == 'n[1-2]'
    assert 'stopped by SIGTERM after iteration' in said
    assert 'resuming' in said
    assert_same_end(tmp_path, trained_by_two)


def test_a_node_with_gpus_gets_a_process_for_each(cluster, tmp_path):
    (line,) = (words for words in sbatch_lines() if '--partition=gpu' in words)
    stand_in = tmp_path / 'python'
    stand_in.write_text(f'#!/bin/sh\ntouch {tmp_path}/rank_$SLURM_PROCID.$SLURM_GPUS_ON_NODE\n')
    stand_in.chmod(0o755)
    job = cluster.submit(*line, f'--chdir={ROOT}', env=dict(PYTHON=str(stand_in)))
    assert cluster.wait_for_end(job)['JobState'] == 'COMPLETED', cluster.output(job)
    names = sorted(path.name for path in tmp_path.glob('rank_*'))
    assert names == [f'rank_{rank}.8' for rank in range(8)]

    too_few = [word for word in line if '--ntasks' not in word]
    job = cluster.submit(*too_few, f'--chdir={ROOT}', env=dict(PYTHON=str(stand_in)))
    assert cluster.wait_for_end(job)['ExitCode'] == '2:0'
    assert '8 GPUs and 1 task(s)' in cluster.output(job)


def test_of_an_array_on_one_node_one_task_is_queued_again_and_one_canceled(
    cluster, submit, trained, toy_set, tmp_path
):
    # Two jobs on one node: each trains for itself. The second would train for hours.
    length = f'$(({ITERS} + 99999 * SLURM_ARRAY_TASK_ID))'
    more = [*SHORT, *SERIAL, 'train_cfg.max_iters=LENGTH']
    options = arguments(toy_set, tmp_path / 'TASK', options=more)
    text = ' '.join(['tools/slurm_train.sh cpu job', str(TOY), *map(shlex.quote, options)])
    text = text.replace('TASK', '$SLURM_ARRAY_TASK_ID').replace('LENGTH', length)
    job = cluster.submit(
        *('sbatch', '--array=0-1', '--partition=cpu', '--nodelist=n1', '--requeue'),
        *(f'--chdir={ROOT}', '--wrap', text),
        env=dict(PYTHON=sys.executable),
    )
    first, second = (f'{job}_{task}' for task in range(2))
    with held(cluster, first, tmp_path / '0') as (pid,):
        cluster.call('scancel', '--signal=TERM', first)  # as at the time limit: to the steps only
        cluster.wait_until(first, lambda: has_signal(pid))
    cluster.wait_until(second, (tmp_path / '1/iter_4.pth').exists)
    cluster.call('scancel', second)
    facts = [cluster.wait_for_end(task) for task in (first, second)]
    states = [one['JobState'] for one in facts]
    assert states == ['COMPLETED', 'CANCELLED'], cluster.output(first)
    assert [one['Restarts'] for one in facts] == ['1', '0']
    assert 'was canceled: it is not queued again' in cluster.output(second)
    assert_same_end(tmp_path / '0', trained)


def test_a_mistake_ends_the_job(cluster, submit, toy_set, tmp_path):
    (tmp_path / 'val.json').write_text('{}')
    more = ['--val-json', tmp_path / 'val.json']
    job = submit('slurm_train.sh', TOY, *arguments(toy_set, tmp_path / 'work', *more))
    facts, said = cluster.wait_for_end(job), cluster.output(job)
    assert (facts['JobState'], facts['Restarts']) == ('FAILED', '0'), said
    assert f'{tmp_path}/val.json' in said
    assert 'Traceback' not in said


@pytest.mark.parametrize(
    ('name', 'inputs'), [('test', []), ('predict', ['batch_01']), ('make_pseudo', ['test.json'])]
)
def test_two_nodes_do_together_what_one_process_does(
    name, inputs, cluster, submit, random_checkpoint, toy_set, tmp_path, capsys
):
    command = [random_checkpoint, *(toy_set / one for one in inputs)]
    command += ['--data-root', toy_set] if name == 'test' else []
    job = submit(f'slurm_{name}.sh', *command, '--out', tmp_path / 'two')
    facts = cluster.wait_for_end(job)
    assert facts['JobState'] == 'COMPLETED', cluster.output(job)
    call_tool(capsys, f'tools/{name}.py', *command, '--out', tmp_path / 'one')
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / out / 'masks').rglob('*.png')}
        for out in ('one', 'two')
    )
    assert one == two != {}
