import argparse
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT

from mmseg_custom import cli
from mmseg_custom.utils import UserError

TOOLS = sorted(p for folder in ('tools', 'data_prep', 'apps') for p in (ROOT / folder).glob('*.py'))
COMMANDS = [path for path in TOOLS if 'cli.main(' in path.read_text()]


@pytest.mark.parametrize('path', COMMANDS, ids=lambda path: path.stem)
def test_help_has_an_example_and_imports_nothing_heavy(path):
    heavy = 'torch', 'mmengine', 'mmcv', 'mmseg', 'numpy', 'cv2'
    code = f"""
import runpy, sys
sys.argv = ['x', '--help']
try:
    runpy.run_path({str(path)!r}, run_name='__main__')
finally:
    assert not set({heavy!r}) & set(sys.modules)
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'example:\n  python ' in done.stdout


def run_main(run):
    with pytest.raises(SystemExit) as end:
        cli.main(lambda: cli.Parser(example=''), run, [])
    return end.value.code


def fail(error):
    def run(args):
        raise error

    return run


def test_exit_codes(capsys):
    assert run_main(lambda args: None) == 0
    assert run_main(lambda args: 3) == 3
    assert run_main(fail(KeyboardInterrupt())) == 130
    mistake = ValueError('a.json: bad')
    mistake.exit_code = 2
    assert run_main(fail(mistake)) == 2
    assert 'error: a.json: bad' in capsys.readouterr().err


def test_a_full_disk_is_told_and_a_bug_keeps_its_traceback(capsys):
    import errno

    assert run_main(fail(OSError(errno.ENOSPC, 'No space', '/data/x'))) == 2
    assert '/data/x: the disk is full' in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        cli.main(lambda: cli.Parser(example=''), fail(ZeroDivisionError()), [])


def test_other_processes_say_who_they_are(capsys, monkeypatch):
    monkeypatch.setenv('RANK', '3')
    assert run_main(fail(OSError(13, 'x', '/root/x'))) == 2
    assert '(process 3): /root/x: permission denied' in capsys.readouterr().err


@pytest.mark.parametrize(('given', 'spins'), [(None, False), ('ACTIVE', True)])
def test_threads_that_wait_sleep_unless_the_user_says_otherwise(given, spins):
    code = """
from mmseg_custom import cli
cli.main(lambda: cli.Parser(example=''), lambda args: bool(__import__('torch')) - 1, [])
"""
    # OpenMP prints what it has read when it is loaded.
    environment = dict(os.environ, OMP_DISPLAY_ENV='VERBOSE', OMP_WAIT_POLICY=given or '')
    if given is None:
        del environment['OMP_WAIT_POLICY']
    done = subprocess.run(
        [sys.executable, '-c', code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = re.search("GOMP_SPINCOUNT = '(.*)'", done.stderr)
    if found is None:
        pytest.skip('PyTorch has another OpenMP here than that of GNU')
    assert (found[1] != '0') == spins


@pytest.mark.parametrize('text', ['0', '-1', '1.5', 'x', ''])
def test_counts_are_whole_and_positive(text):
    with pytest.raises(Exception, match='whole number'):
        cli.positive_int(text)


def test_key_value_pairs():
    assert cli.key_value('a.b=1=2') == 'a.b=1=2'
    for text in ('a', '=1'):
        with pytest.raises(Exception, match='KEY=VALUE'):
            cli.key_value(text)


def ignore_sigterm(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.set()
    time.sleep(600)


def fail_with_a_worker(child):
    context = multiprocessing.get_context('fork')
    ready = context.Event()
    worker = context.Process(target=ignore_sigterm, args=[ready], daemon=True)
    worker.start()
    ready.wait(30)
    child.send(worker.pid)
    cli.main(lambda: cli.Parser(example=''), fail(UserError('stopped')), [])


def test_a_worker_that_ignores_sigterm_does_not_keep_a_failed_command():
    context = multiprocessing.get_context('fork')
    parent, child = context.Pipe()
    command = context.Process(target=fail_with_a_worker, args=[child])
    command.start()
    worker = parent.recv()
    command.join(30)
    code = command.exitcode
    command.kill()
    assert code == 2
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


@pytest.mark.parametrize(
    'kind, made, said',
    [
        (cli.existing_file, 'folder', 'is a folder; name a file'),
        (cli.existing_file, 'pipe', 'is no plain file; save it as one'),
        (cli.existing_file, 'nothing', 'no such file'),
        (cli.existing_dir, 'file', 'is a file; name a folder'),
        (cli.existing_dir, 'nothing', 'no such folder'),
    ],
)
def test_what_is_there_but_of_another_kind_is_not_called_missing(kind, made, said, tmp_path):
    path = tmp_path / 'photos'
    {
        'folder': path.mkdir,
        'pipe': lambda: os.mkfifo(path),
        'file': path.touch,
        'nothing': lambda: None,
    }[made]()
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        kind(str(path))
    assert str(refused.value) == f'{path}: {said}'
