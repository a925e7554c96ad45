"""The command lines from annotations to masks and back."""

import json
import runpy

import numpy as np
import pytest
from conftest import ROOT, coco, tool

from mmseg_custom import cli
from mmseg_custom.classes import built_in
from mmseg_custom.coco import drop_specks, load_mask, mode_filter, save_mask

THERE, BACK = 'data_prep/coco_to_masks.py', 'data_prep/masks_to_coco.py'


def command(path, *arguments) -> int:
    """Run a tool in this process, which spares importing torch each time."""
    script = runpy.run_path(str(ROOT / path))
    with pytest.raises(SystemExit) as end:
        cli.main(script['build_parser'], script['run'], list(map(str, arguments)))
    return end.value.code


@pytest.fixture
def ann_file(small_set):
    """One photo of 20x12 with a square of Paper, a speck of General trash on it, and one beside."""

    def square(number, category, x, y, side):
        polygon = [x, y, x + side, y, x + side, y + side, x, y + side]
        return dict(id=number, image_id=0, category_id=category, segmentation=[polygon])

    image = dict(id=0, file_name='b/a.jpg', width=20, height=12)
    squares = [square(0, 8, 2, 2, 8), square(1, 7, 5, 5, 1), square(2, 7, 15, 5, 1)]
    return small_set(coco([image], squares))


def test_there_and_back(ann_file, tmp_path, capsys):
    assert command(THERE, ann_file, '--out', tmp_path / 'm') == 0
    assert capsys.readouterr().out == f'1 masks written to {tmp_path / "m"}\n'
    mask = load_mask(tmp_path / 'm/b/a.png', 12, 20, built_in())
    assert (mask == 1).sum() == 2 and (mask == 2).sum() == 63
    back = [tmp_path / 'm', '--data-root', tmp_path, '--out', tmp_path / 'new.json']
    assert command(BACK, *back) == 0
    assert '1 photos with 3 annotations in' in capsys.readouterr().out
    assert command(THERE, tmp_path / 'new.json', '--out', tmp_path / 'again') == 0
    np.testing.assert_array_equal(load_mask(tmp_path / 'again/b/a.png', 12, 20, built_in()), mask)
    assert command(BACK, *back, '--whole', '--force') == 0
    assert '1 photos with 2 annotations' in capsys.readouterr().out


def test_clean_up_is_off_unless_asked_for_and_reported(ann_file, tmp_path, capsys):
    plain, both = tmp_path / 'plain', tmp_path / 'both'
    assert command(THERE, ann_file, '--out', plain) == 0
    assert 'clean-up' not in capsys.readouterr().out
    raw = load_mask(plain / 'b/a.png', 12, 20, built_in())
    assert command(THERE, ann_file, '--out', both, '--mode-filter', '--min-pixels', 5) == 0
    wanted = drop_specks(mode_filter(raw), 5)
    np.testing.assert_array_equal(load_mask(both / 'b/a.png', 12, 20, built_in()), wanted)
    changed = (raw != wanted).sum()
    assert changed == 6  # two specks and the square's corners
    assert f'clean-up changed {changed} of 240 pixels (2.500%)' in capsys.readouterr().out


def test_masks_that_are_there_are_kept_and_it_says_so(ann_file, tmp_path, capsys):
    for options, said in (([], ''), ([], ', 1 kept (--force'), (['--force'], '')):
        assert command(THERE, ann_file, '--out', tmp_path / 'm', *options) == 0
        first = capsys.readouterr().out.splitlines()[0]
        assert said in first and ('kept' in first) == bool(said)


def test_ignored_pixels_are_told(tmp_path, capsys):
    save_mask(tmp_path / 'm/a.png', np.full((4, 4), 255, np.uint8), built_in())
    save_mask(tmp_path / 'p/a.png', np.zeros((4, 4), np.uint8), built_in())
    out = tmp_path / 'p/new.json'
    assert command(BACK, tmp_path / 'm', '--data-root', tmp_path / 'p', '--out', out) == 0
    assert '1 of them have ignored pixels' in capsys.readouterr().out
    assert json.loads(out.read_text())['images'][0]['seg_map_path'] == '../m/a.png'


def test_mistakes_are_one_line_and_exit_code_2(ann_file, tmp_path, capsys):
    (tmp_path / 'empty').mkdir()
    broken = tmp_path / 'broken.json'
    broken.write_text('{')
    for path, arguments, message in (
        (THERE, [tmp_path / 'no.json', '--out', 'x'], 'no.json: no such annotation file'),
        (THERE, [broken, '--out', tmp_path / 'm'], 'broken.json: does not parse'),
        (THERE, [ann_file, '--out', tmp_path / 'm', '--min-pixels', -1], 'at least 0'),
        (BACK, [tmp_path / 'empty', '--data-root', tmp_path, '--out', 'x'], 'empty: has no PNG'),
        (BACK, [tmp_path, '--data-root', tmp_path, '--out', ann_file], 'ann.json: exists already'),
    ):
        assert command(path, *arguments) == 2
        error = capsys.readouterr().err
        assert message in error.splitlines()[-1]
        assert 'Traceback' not in error


def test_a_mask_without_photo_is_one_line_from_the_shell(tmp_path):
    save_mask(tmp_path / 'm/a.png', np.zeros((4, 4), np.uint8), built_in())
    (tmp_path / 'p').mkdir()
    out = tmp_path / 'new.json'
    done = tool(BACK, tmp_path / 'm', '--data-root', tmp_path / 'p', '--out', out, code=2)
    (line,) = done.stderr.splitlines()
    assert line.startswith('masks_to_coco.py: error: ') and 'there is no photo' in line
    assert not out.exists()
