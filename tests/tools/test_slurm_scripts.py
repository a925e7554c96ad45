"""Decisions of the slurm_*.sh scripts, with programs that stand in for those of Slurm."""

import os

import pytest
from processes import start_to_end
from products import TOY

USAGES = {
    'train': 'CONFIG',
    'test': '[CONFIG] CHECKPOINT',
    'predict': '[CONFIG] CHECKPOINT INPUTS… --out DIR',
    'make_pseudo': '[CONFIG] CHECKPOINT INPUT --out DIR',
}
BATCH = dict(SLURM_JOB_ID='77', ENVIRONMENT='BATCH', SLURM_NTASKS='2', SLURM_CPUS_PER_TASK='3')


@pytest.fixture
def cluster(tmp_path):
    """Return a function that runs the script while ``srun`` ends with a code, maybe on purpose."""

    def run(code: int, stopped: bool = False, state: str = 'RUNNING', **env) -> str:
        noted = tmp_path / 'noted'
        noted.write_text('')
        mark = 'touch "$TRASH_SEG_STOPPED"' if stopped else ':'
        programs = dict(
            srun=f'{mark}; exit {code}',
            # As Slurm does, a requeue sends SIGTERM to the shell of the batch job.
            scontrol=f'[ "$1" = requeue ] && kill $PPID || echo JobId=77 JobState={state}',
            scancel=':',
        )
        for name, then in programs.items():
            program = tmp_path / name
            program.write_text(f'#!/bin/sh\necho {name} "$@" >> {noted}\n{then}\n')
            program.chmod(0o755)
        env |= dict(PATH=f'{tmp_path}:{os.environ["PATH"]}')
        start_to_end('tools/slurm_train.sh', 'cpu', 'job', TOY, env=env, code=code)
        return noted.read_text()

    return run


@pytest.mark.parametrize('name', USAGES)
def test_a_script_without_arguments_says_what_it_takes(name):
    said = start_to_end(f'tools/slurm_{name}.sh', 'cpu', 'job', code=2).stderr
    assert f'tools/slurm_{name}.sh PARTITION JOB_NAME {USAGES[name]}' in said
    assert 'GPUS=0 TASKS=4' in said


@pytest.mark.parametrize(
    ('code', 'stopped', 'state', 'again'),
    [
        (143, True, 'RUNNING', True),
        (137, True, 'RUNNING', True),  # a process that was slower was killed by srun
        (143, True, 'COMPLETING', False),  # scancel
        (143, False, 'RUNNING', False),  # a mistake; srun ended the other processes by SIGTERM
        (2, True, 'RUNNING', False),
        (0, False, 'RUNNING', False),
    ],
)
def test_only_a_training_that_stopped_on_purpose_is_queued_again(
    cluster, code, stopped, state, again
):
    assert ('scontrol requeue 77\n' in cluster(code, stopped, state, **BATCH)) == again


def test_the_signal_of_a_requeue_is_not_sent_on_to_the_next_start_of_the_job(cluster):
    noted = cluster(143, True, **BATCH)
    assert 'scontrol requeue 77\n' in noted
    assert 'scancel' not in noted


def test_a_task_of_an_array_is_queued_again_by_its_own_number(cluster):
    array = dict(SLURM_ARRAY_JOB_ID='70', SLURM_ARRAY_TASK_ID='3')
    assert 'scontrol requeue 70_3\n' in cluster(143, True, **BATCH, **array)


@pytest.mark.parametrize(
    ('env', 'resources'),
    [
        (
            dict(GPUS='4', GPUS_PER_NODE='2'),
            '--partition=cpu --job-name=job --ntasks=4 --ntasks-per-node=2 --gres=gpu:2 '
            '--cpus-per-task=5 ',
        ),
        (
            dict(GPUS='0', TASKS='4', TASKS_PER_NODE='2', CPUS_PER_TASK='1'),
            '--partition=cpu --job-name=job --ntasks=4 --ntasks-per-node=2 --cpus-per-task=1 ',
        ),
        (BATCH, '--job-name=job --ntasks=2 --cpus-per-task=3 '),
        (BATCH | dict(ENVIRONMENT=''), '--job-name=job --ntasks=2 --cpus-per-task=3 '),
    ],
)
def test_srun_is_asked_for_what_is_wanted_or_granted(cluster, env, resources):
    assert cluster(0, **env).startswith(f'srun {resources}--export=ALL --kill-on-bad-exit=1 ')
