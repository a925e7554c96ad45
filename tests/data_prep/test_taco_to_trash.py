"""The command line of the TACO converter: what it says, and how it refuses."""

import json
import runpy

import cv2
import numpy as np
import pytest
from conftest import ROOT, tool

from mmseg_custom import cli

SCRIPT = 'data_prep/taco_to_trash.py'


@pytest.fixture
def taco_file(tmp_path):
    """A TACO file of two photos, the second of which is absent from ``photos``."""
    square = [[10, 10, 50, 10, 50, 50, 10, 50]]
    content = dict(
        info={},
        images=[dict(id=i, file_name=f'b/{i}.jpg', width=90, height=60) for i in range(2)],
        annotations=[dict(id=i, image_id=i, category_id=0, segmentation=square) for i in range(2)],
        categories=[dict(id=0, name='Broken glass')],
    )
    path = tmp_path / 'taco.json'
    path.write_text(json.dumps(content))
    (tmp_path / 'photos' / 'b').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'photos' / 'b' / '0.jpg'), np.zeros((60, 90, 3), np.uint8))
    return path


def command(*arguments) -> int:
    """Run the tool in this process, which spares importing torch each time."""
    script = runpy.run_path(str(ROOT / SCRIPT))
    with pytest.raises(SystemExit) as end:
        cli.main(script['build_parser'], script['run'], list(map(str, arguments)))
    return end.value.code


def test_it_converts_and_says_what_was_left_out(taco_file, tmp_path, capsys):
    out = tmp_path / 'out'
    assert command(taco_file, '--data-root', tmp_path / 'photos', '--out', out, '--size', 45) == 0
    said = capsys.readouterr().out
    assert said.startswith(f'1 photos with 1 annotations in {out}; 0 annotations had no pixel')
    assert '1 photos were skipped' in said
    assert (out / 'skipped.txt').read_text() == 'b/1.jpg\tabsent\n'
    assert cv2.imread(str(out / 'b' / '0.jpg')).shape == (30, 45, 3)


def test_annotations_only_needs_no_photo(taco_file, tmp_path, capsys):
    assert command(taco_file, '--annotations-only', '--out', tmp_path / 'out') == 0
    content = json.loads((tmp_path / 'out' / 'train_all.json').read_text())
    assert [(i['width'], i['height']) for i in content['images']] == [(512, 341)] * 2
    assert {a['category_id'] for a in content['annotations']} == {5}
    assert [p.name for p in (tmp_path / 'out').iterdir()] == ['train_all.json']
    assert 'skipped' not in capsys.readouterr().out


def test_an_unknown_category_is_one_line_and_exit_code_2(taco_file, tmp_path):
    taco_file.write_text(taco_file.read_text().replace('Broken glass', 'Space junk'))
    done = tool(SCRIPT, taco_file, '--annotations-only', '--out', tmp_path / 'out', code=2)
    first, line = done.stderr.splitlines()
    assert first.startswith('taco_to_trash.py: error: ') and 'taco.json: 1 category' in first
    for part in ("'Space junk' (", '--classes', '--class-map'):
        assert part in line
    assert not (tmp_path / 'out').exists()


def test_other_mistakes_are_one_line_and_exit_code_2(taco_file, tmp_path, capsys):
    out = ['--out', tmp_path / 'out']
    broken = tmp_path / 'broken.json'
    broken.write_text('{"images": [')
    for arguments, message in (
        ([taco_file, *out], '--data-root --annotations-only is required'),
        ([tmp_path / 'no.json', '--annotations-only', *out], 'no.json: no such annotation file'),
        ([taco_file, '--data-root', tmp_path / 'no', *out], 'no: no such folder'),
        ([taco_file, '--annotations-only', *out, '--size', 0], 'at least 1'),
        ([broken, '--annotations-only', *out], 'broken.json: does not parse as JSON'),
        (
            [taco_file, '--annotations-only', *out, '--class-map', broken],
            'the first line has to be',
        ),
    ):
        assert command(*arguments) == 2
        error = capsys.readouterr().err
        assert message in error.splitlines()[-1]
        assert 'Traceback' not in error
