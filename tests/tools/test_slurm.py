"""tools/slurm_train.sh with programs that stand in for Slurm's."""

import os

import pytest
from conftest import ROOT, tool

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


@pytest.fixture
def cluster(tmp_path):
    """Return a function that runs the script while ``srun`` ends with a code."""

    def run(srun_code: int, code: int, **env) -> str:
        noted = tmp_path / 'noted'
        noted.write_text('')
        for name, end in (('srun', srun_code), ('scontrol', 0)):
            program = tmp_path / name
            program.write_text(f'#!/bin/sh\necho {name} "$@" >> {noted}\nexit {end}\n')
            program.chmod(0o755)
        env |= dict(PATH=f'{tmp_path}:{os.environ["PATH"]}', GPUS='2')
        tool('tools/slurm_train.sh', 'gpu', 'job', TOY, env=env, code=code)
        return noted.read_text()

    return run


def test_a_batch_job_that_was_stopped_is_queued_again(cluster):
    said = cluster(143, code=143, SLURM_JOB_ID='77')
    assert said.splitlines()[1:] == ['scontrol requeue 77']


@pytest.mark.parametrize(('srun_code', 'job'), [(0, '77'), (2, '77'), (143, '')])
def test_nothing_else_is_queued_again(cluster, srun_code, job):
    said = cluster(srun_code, code=srun_code, SLURM_JOB_ID=job)
    assert 'scontrol' not in said
    assert 'srun --partition=gpu --job-name=job --ntasks=2' in said
