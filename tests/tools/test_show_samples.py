import numpy as np
from conftest import ROOT, call_tool, outcome_of
from PIL import Image

TOOL = 'tools/show_samples.py'
TOY = ROOT / 'configs' / 'upernet_swin_toy.py'


def test_the_picture_shows_what_the_seed_draws(toy_set, tmp_path, capsys):
    pictures = []
    for name, seed in (('a.png', 0), ('b.png', 0), ('c.png', 1)):
        arguments = ['--count', 3, '--seed', seed, '--out', tmp_path / name]
        call_tool(capsys, TOOL, TOY, '--data-root', toy_set, *arguments)
        pictures.append(np.array(Image.open(tmp_path / name)))
    assert np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_photos_without_augmentation_are_the_photos(toy_set, tmp_path, capsys):
    out = tmp_path / 'a.png'
    arguments = ['--augmentation', 'none', '--count', 1, '--out', out]
    call_tool(capsys, TOOL, TOY, '--data-root', toy_set, *arguments)
    sheet = np.array(Image.open(out)).astype(int)
    photos = [np.array(Image.open(path)) for path in sorted((toy_set / 'batch_01').glob('*.jpg'))]
    enlarged = [np.array(Image.fromarray(photo).resize((224, 224))) for photo in photos]
    cell = sheet[26 : 26 + 224, 8 : 8 + 224]
    assert min(np.abs(cell - photo).mean() for photo in enlarged) < 3


def test_mistakes_are_one_line(toy_set, tmp_path, capsys):
    out = ['--out', tmp_path / 'a.png']
    done = call_tool(capsys, TOOL, TOY, '--data-root', tmp_path / 'gone', *out, code=2)
    assert 'no such data folder' in done.err
    arguments = ['--data-root', toy_set, '--augmentation', 'wild']
    code, said = outcome_of(TOOL, TOY, *arguments, *out)
    assert code == 2
    assert "error: argument --augmentation: 'wild' is none of base, custom, elastic" in said
    assert not list(tmp_path.iterdir())
