import json
import os
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest
from processes import run_to_end
from products import TOY
from trainings import ALONE

from mmseg_custom.runs.warm_process import WarmProcess

pytestmark = pytest.mark.slow

SCRIPT = """
import os, sys
from pathlib import Path
from mmengine.logging import MessageHub
hub = MessageHub.get_instance('run')
hub.update_scalar('loss', 1)
print('process', os.getpid(), len(hub.get_scalar('loss').data[0]), *sys.argv[1:], flush=True)
{}
"""


@pytest.fixture
def run(tmp_path):
    """Run the lines of a script in one warm process; returns its exit code and what it wrote."""
    process = WarmProcess()

    def run_lines(lines, *arguments, stop=None):
        script, log = tmp_path / 'script.py', tmp_path / 'log'
        script.write_text(SCRIPT.format(lines))
        log.write_text('before\n')
        code = process.run([sys.executable, str(script), *arguments], log, stop or Event())
        return code, log.read_text().splitlines()

    yield run_lines
    process.close()


def test_scripts_share_a_process_and_nothing_else(run, tmp_path):
    code, first = run('', 'a', 1)
    assert (code, first[0]) == (0, 'before')
    _, number, values, *arguments = first[1].split()
    assert (values, arguments) == ('1', ['a', '1'])
    assert int(number) != os.getpid()
    code, second = run('import torch; torch.use_deterministic_algorithms(True); sys.exit(3)')
    assert (code, second[1].split()[1:]) == (3, [number, '1'])
    code, third = run('import torch; print(torch.are_deterministic_algorithms_enabled())')
    assert (code, third[2]) == (0, 'False')
    code, failed = run('raise ValueError("no such thing")')
    assert code == 1
    assert failed[-1] == 'ValueError: no such thing'


def test_a_process_that_is_killed_is_noticed_and_replaced(run):
    _, first = run('')
    code, _ = run('os.kill(os.getpid(), 9)')
    assert code == -9
    code, again = run('')
    assert code == 0
    assert again[1].split()[1] != first[1].split()[1]


def test_a_script_is_stopped_by_a_signal_that_it_can_answer(run, tmp_path):
    stop, began = Event(), tmp_path / 'began'
    lines = f"""
import signal, time
signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(0)))
Path({str(began)!r}).touch()
time.sleep(200)
"""

    def stop_once_begun():
        while not began.exists():
            time.sleep(0.02)
        stop.set()

    Thread(target=stop_once_begun, daemon=True).start()
    code, printed = run(lines, stop=stop)
    assert code is None
    assert printed[-1] == 'saved'


def test_the_second_training_of_a_process_equals_a_started_one(toy_set, tmp_path):
    def command(folder) -> list[str]:
        more = ['--option', 'frozen_features', 'cached_samples', '--augmentation', 'none']
        more += ['--batch-size', '2', '--seed', '5', '--cfg-options', *ALONE]
        more += ['train_cfg.max_iters=4', 'train_cfg.val_interval=4']
        script = str(Path(__file__).parents[3] / 'tools' / 'train.py')
        return [script, str(TOY), '--work-dir', str(folder), '--data-root', str(toy_set), *more]

    process = WarmProcess()
    for number in (1, 2):
        log = tmp_path / f'log_{number}'
        code = process.run([sys.executable, *command(tmp_path / f'warm_{number}')], log, Event())
        assert code == 0, log.read_text()[-2000:]
    process.close()
    script, *arguments = command(tmp_path / 'cold')
    run_to_end(script, *arguments)

    def measured(name) -> dict:
        content = json.loads((tmp_path / name / 'val' / 'iter_000004.json').read_text())
        return {key: content[key] for key in ('confusion_matrix', 'metrics', 'iter')}

    assert measured('warm_1') == measured('warm_2') == measured('cold')
