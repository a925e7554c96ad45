import runpy
import subprocess
import sys

import pytest
from conftest import ROOT

from mmseg_custom import trash_seg
from mmseg_custom.version import __version__

TOOLS = {path.stem: path for name in trash_seg.FOLDERS for path in (ROOT / name).glob('*.py')}


def call(capsys, monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['trash-seg', *arguments])
    try:
        trash_seg.main()
    except SystemExit as end:
        return end.code, *capsys.readouterr()
    return 0, *capsys.readouterr()


@pytest.mark.parametrize('arguments', [(), ('-h',), ('--help',)])
def test_each_tool_has_one_line(capsys, monkeypatch, arguments):
    code, out, _ = call(capsys, monkeypatch, *arguments)
    assert code == 0
    commands = {name for name, path in TOOLS.items() if 'build_parser' in runpy.run_path(str(path))}
    lines = [line.split(maxsplit=1) for line in out.splitlines() if line.startswith('  ')]
    assert {name for name, _ in lines} == commands
    for name, text in lines:
        docstring = runpy.run_path(str(TOOLS[name]))['__doc__']
        assert docstring.startswith(text)
        assert 10 < len(text) < 70, f'{name}: {text}'


def test_version(capsys, monkeypatch):
    assert call(capsys, monkeypatch, '--version') == (0, f'trash-seg {__version__}\n', '')


@pytest.mark.parametrize(('typed', 'meant'), [('preditc', 'predict'), ('statistics', None)])
def test_a_typo_is_answered_with_the_nearest_name(capsys, monkeypatch, typed, meant):
    code, out, err = call(capsys, monkeypatch, typed)
    assert (code, out) == (2, '')
    assert f'no tool {typed!r}' in err
    assert (f'did you mean {meant!r}' in err) == bool(meant)


def test_a_tool_gets_its_arguments(capsys, monkeypatch):
    code, out, _ = call(capsys, monkeypatch, 'doctor', '--help')
    assert code == 0
    assert out.startswith('usage: doctor.py')


def test_wrong_names_are_answered_before_anything_heavy_is_imported():
    options = {
        'train': [('--loss', 'focla', 'focal'), ('--option', 'emma', 'ema')],
        'show_samples': [('--augmentation', 'custm', 'custom')],
        'predict': [('--tta', 'flop', 'flip'), ('--crf', 'defualt', 'default')],
        'crf': [('--crf', 'keepsmall', 'keep_small')],
    }
    lines = []
    for name, cases in options.items():
        for option, typed, meant in cases:
            lines.append((str(TOOLS[name]), [option, typed], meant))
    code = f"""
import contextlib, io, runpy, sys
for path, arguments, meant in {lines!r}:
    said = io.StringIO()
    sys.argv = [path, *arguments]
    with contextlib.redirect_stderr(said):
        try:
            runpy.run_path(path, run_name='__main__')
        except SystemExit as end:
            assert end.code == 2
    assert f'did you mean {{meant!r}}?' in said.getvalue(), said.getvalue()
assert not set(('torch', 'mmengine', 'mmseg', 'numpy', 'cv2')) & set(sys.modules)
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_help_lists_the_names_and_each_is_accepted():
    train = runpy.run_path(str(TOOLS['train']))['build_parser']()
    help_text = ' '.join(train.format_help().split())
    for option, folder in (
        ('--loss', 'losses'),
        ('--option', 'options'),
        ('--augmentation', 'augmentations'),
    ):
        for path in (ROOT / 'configs' / '_base_' / folder).glob('*.py'):
            assert path.stem in help_text
            train.parse_args([str(ROOT / 'configs' / 'upernet_swin_toy.py'), option, path.stem])
