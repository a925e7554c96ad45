"""Several processes of one launch, and others that come to the same port."""

import contextlib
import os
import socket
import time
from pathlib import Path

import pytest
from conftest import ROOT
from processes import CONTEXT, call_in_file, start_to_end
from products import SHORT, TOY


@pytest.fixture
def taken_port():
    """A port at which another program listens."""
    with socket.socket() as listening:
        listening.bind(('127.0.0.1', 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize('nodes', [1, 2])
def test_a_taken_port_is_one_message(nodes, taken_port, tmp_path):
    env = dict(NNODES=str(nodes), PORT=str(taken_port))
    done = start_to_end('tools/dist_train.sh', TOY, 1, '--work-dir', tmp_path, code=2, env=env)
    (line,) = (line for line in done.stderr.splitlines() if 'error' in line.lower())
    assert 'another program has the port' in line
    assert 'Traceback' not in done.stderr


def test_a_number_of_nodes_that_changes_is_refused():
    env = dict(NNODES='1:2')
    said = start_to_end('tools/dist_train.sh', TOY, 1, code=2, env=env).stderr
    assert said == 'NNODES=1:2: the number of nodes is fixed; give one number\n'


def join(folder: str, job: str, rank: int, port: int, size: int = 2) -> None:
    """Join a Slurm job's processes, write down which job the others are of."""
    import torch.distributed as torch_dist

    from mmseg_custom.experiment.launch import join_processes
    from mmseg_custom.utils import UserError

    names = dict(JOB_ID=job, STEP_ID='0', PROCID=rank, NTASKS=size, LOCALID=0)
    os.environ.update({f'SLURM_{name}': str(value) for name, value in names.items()})
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    result = Path(folder, f'{job}_{rank}')
    try:
        join_processes('slurm')
    except UserError as error:
        result.write_text(str(error))
        return
    others = [None] * size
    torch_dist.all_gather_object(others, job)
    result.write_text(' '.join(others))
    torch_dist.destroy_process_group()


def test_a_process_of_another_job_at_the_same_port_is_not_let_in(free_port, tmp_path):
    def start(job: str, rank: int):
        arguments = (__file__, 'join', str(tmp_path), job, rank, free_port)
        process = CONTEXT.Process(target=call_in_file, args=arguments)
        process.start()
        return process

    first = start('77', 0)
    with contextlib.closing(socket.socket()) as probe:
        while probe.connect_ex(('127.0.0.1', free_port)):
            time.sleep(0.05)
    stranger = start('78', 1)
    stranger.join(2)  # it connects; nothing below depends on when
    other_first = start('78', 0)
    other_first.join(200)  # while the first job has the port
    second = start('77', 1)
    for process in (first, second, stranger):
        process.join(200)
    assert {(tmp_path / f'77_{rank}').read_text() for rank in range(2)} == {'77 77'}
    assert (
        f'127.0.0.1:{free_port}: another program has this port' in (tmp_path / '78_0').read_text()
    )
    # The port is closed when the first job has ended.
    assert (tmp_path / '78_1').read_text().startswith(f'127.0.0.1:{free_port}: ')


def train_as(folder: str, rank: int, port: int, *more) -> None:
    """Start one of two processes of a training, with options of its own."""
    import runpy
    import sys

    os.chdir(ROOT)
    log = os.open(Path(folder, f'said_{rank}'), os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 2)
    os.environ.update(RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK=str(rank))
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    serial = [*SHORT, 'train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
    sys.argv = ['train.py', str(TOY), '--launcher', 'pytorch', '--work-dir', f'{folder}/work']
    sys.argv += [*more, '--cfg-options', *serial]
    try:
        runpy.run_path('tools/train.py', run_name='__main__')
    except SystemExit as end:
        Path(folder, f'code_{rank}').write_text(str(end.code))


@pytest.mark.parametrize('differs', ['seed', 'data'])
def test_processes_that_were_started_differently_do_not_train(
    differs, free_port, toy_set, tmp_path
):
    options = [['--data-root', str(toy_set), '--seed', '3'] for _ in range(2)]
    if differs == 'seed':
        options[1][-1] = '4'
    else:
        other = (toy_set / 'val.json').read_text()
        (tmp_path / 'other.json').write_text(other)
        options[1] += ['--train-json', str(tmp_path / 'other.json')]
        options[0] += ['--train-json', str(toy_set / 'train.json')]
    processes = [
        CONTEXT.Process(
            target=call_in_file,
            args=(__file__, 'train_as', str(tmp_path), rank, free_port, *options[rank]),
        )
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(200)
    assert [(tmp_path / f'code_{rank}').read_text() for rank in range(2)] == ['2', '2']
    what = 'randomness.seed' if differs == 'seed' else 'train_dataloader: annotations'
    for rank in range(2):
        said = (tmp_path / f'said_{rank}').read_text()
        assert 'processes 0 and 1 were not started with the same training' in said
        assert what in said
    assert not list((tmp_path / 'work').glob('*.pth'))
