import subprocess
import sys

import pytest
from conftest import ROOT

import trash_cli

TOOLS = sorted(p for folder in ('tools', 'data_prep', 'apps') for p in (ROOT / folder).glob('*.py'))
COMMANDS = [path for path in TOOLS if 'trash_cli.main(' in path.read_text()]


@pytest.mark.parametrize('path', COMMANDS, ids=lambda path: path.stem)
def test_help_has_an_example_and_imports_nothing_heavy(path):
    heavy = 'torch', 'mmengine', 'mmcv', 'mmseg', 'mmseg_custom', 'numpy', 'cv2'
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


DATA_TOOLS = [path for path in COMMANDS if path.parent.name == 'data_prep']


@pytest.mark.parametrize('path', DATA_TOOLS, ids=lambda path: path.stem)
def test_no_tool_takes_its_neighbour_for_the_standard_librarys_statistics(path):
    # The search path as `python data_prep/….py` finds it.
    code = f"""
import runpy, sys
sys.path[0] = {str(path.parent)!r}
sys.argv = ['x', '--help']
try:
    runpy.run_path({str(path)!r}, run_name='__main__')
except SystemExit as end:
    assert not end.code
import statistics, trash_cli
assert statistics.median([1, 2, 9]) == 2
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_script_leaves_its_folder_when_it_runs(tmp_path):
    (tmp_path / 'statistics.py').write_text('raise SystemExit("the wrong one")')
    script = tmp_path / 'script.py'
    script.write_text("""
import trash_cli
def run(args):
    import random, statistics
    print(statistics.median([1, 2, 9]))
trash_cli.main(lambda: trash_cli.Parser(example=''), run)
""")
    for name, folder in ((script, None), ('script.py', tmp_path)):
        command = [sys.executable, name]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        assert (done.returncode, done.stdout) == (0, '2\n'), done.stderr


def run_main(run):
    with pytest.raises(SystemExit) as end:
        trash_cli.main(lambda: trash_cli.Parser(example=''), run, [])
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
        trash_cli.main(lambda: trash_cli.Parser(example=''), fail(ZeroDivisionError()), [])


def test_other_processes_say_who_they_are(capsys, monkeypatch):
    monkeypatch.setenv('RANK', '3')
    assert run_main(fail(OSError(13, 'x', '/root/x'))) == 2
    assert '(process 3): /root/x: permission denied' in capsys.readouterr().err


@pytest.mark.parametrize('text', ['0', '-1', '1.5', 'x', ''])
def test_counts_are_whole_and_positive(text):
    with pytest.raises(Exception, match='whole number'):
        trash_cli.positive_int(text)


def test_key_value_pairs():
    assert trash_cli.key_value('a.b=1=2') == 'a.b=1=2'
    for text in ('a', '=1'):
        with pytest.raises(Exception, match='KEY=VALUE'):
            trash_cli.key_value(text)
