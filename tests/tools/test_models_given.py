"""Every command takes its model in the same forms, with options anywhere between."""

import runpy

import pytest
from conftest import ROOT
from processes import start_to_end

CONFIG, CHECKPOINT = 'configs/upernet_swin_toy.py', 'setup.cfg'
# What a command needs beside the positional model.
COMMANDS = {
    'tools/test.py': [],
    'tools/export.py': ['--out', 'x.onnx'],
    'tools/make_pseudo.py': ['photos', '--out', 'x'],
    'tools/next_photos.py': ['photos', '--out', 'x'],
    'tools/predict.py': ['photos', '--out', 'x'],
    'apps/serve.py': [],
    'apps/sorting_guide.py': [],
}


def parsed(tool, arguments, monkeypatch):
    monkeypatch.chdir(ROOT)
    args = runpy.run_path(str(ROOT / tool))['build_parser']().parse_args(arguments)
    return {name: value for name, value in vars(args).items() if not callable(value)}


@pytest.mark.parametrize('model', [[CONFIG, CHECKPOINT], [CHECKPOINT]])
@pytest.mark.parametrize('tool', COMMANDS)
def test_an_option_may_stand_anywhere(tool, model, monkeypatch):
    words = [*model, *COMMANDS[tool]]
    expected = parsed(tool, [*words, '--trust-checkpoint'], monkeypatch)
    for place in range(len(model) + 1):
        moved = [*words[:place], '--trust-checkpoint', *words[place:]]
        assert parsed(tool, moved, monkeypatch) == expected


def test_those_are_all_commands_with_a_positional_model():
    found = {
        f'{folder}/{path.name}'
        for folder in ('tools', 'apps')
        for path in (ROOT / folder).glob('*.py')
        if 'cli.add_model(' in path.read_text()
    }
    assert found <= COMMANDS.keys()
    assert COMMANDS.keys() - found == {'tools/predict.py'}


def test_several_checkpoints_of_a_subcommand_too(monkeypatch):
    words = ['average', CHECKPOINT, '--trust-checkpoint', 'LICENSE', '--out', 'x']
    assert parsed('tools/ensemble.py', words, monkeypatch)['checkpoints'] == [CHECKPOINT, 'LICENSE']


@pytest.mark.parametrize('model', [[CONFIG, 'a.pth'], ['a.pth'], ['a.onnx']])
@pytest.mark.parametrize(
    ('tool', 'rest'),
    [('test', []), ('predict', ['photos', '--out', 'x']), ('make_pseudo', ['in', '--out', 'x'])],
)
def test_scripts_for_several_processes_take_a_checkpoint_alone(tool, rest, model):
    script = f'tools/dist_{tool}.sh'
    said = start_to_end(script, *model, 2, *rest, env=dict(PYTHON='echo')).stdout
    assert said.strip().endswith(' '.join([f'{tool}.py --launcher pytorch', *model, *rest]))
    assert '--nproc_per_node=2' in said


@pytest.mark.parametrize('words', [[], ['a.pth'], ['a.py', 'a.pth'], ['a.py', 'a.pth', 'two']])
@pytest.mark.parametrize('tool', ['test', 'predict', 'make_pseudo'])
def test_scripts_without_a_number_of_processes_say_how_they_are_used(tool, words):
    done = start_to_end(f'tools/dist_{tool}.sh', *words, code=2)
    assert f'usage: tools/dist_{tool}.sh [CONFIG] CHECKPOINT GPUS' in done.stderr
