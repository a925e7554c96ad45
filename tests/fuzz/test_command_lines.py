import json
import runpy

import numpy as np
import pytest
from conftest import ROOT
from hostile_inputs import fuzz, mutated
from hypothesis import example, given, settings
from PIL import Image

from mmseg_custom import cli
from mmseg_custom.coco.segmentation import describe_mask

SOUND = dict(
    images=[dict(id=i, file_name=f'{i}.jpg', height=8, width=9) for i in range(6)],
    categories=[dict(id=7, name='Paper')],
    annotations=[
        dict(id=i, image_id=i, category_id=7, **describe_mask(np.eye(8, 9, k=i, dtype=np.uint8)))
        for i in range(6)
    ],
)
TOOLS = {
    'data_prep/coco_to_masks.py': ['{ann}', '--out', '{out}'],
    'data_prep/stratified_kfold.py': ['{ann}', '--folds', '2', '--out', '{out}'],
    'data_prep/oversample.py': ['{ann}', '--out', '{out}/more.json', '--threshold', '0.5'],
    'data_prep/check.py': ['{ann}'],
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('fuzz')
    for image in SOUND['images']:
        Image.new('RGB', (9, 8)).save(folder / image['file_name'])
    return folder


@pytest.mark.parametrize('tool', TOOLS)
@settings(fuzz, max_examples=fuzz.max_examples // 3)
@given(content=mutated(SOUND))
@example(content=SOUND)
@example(content=dict(SOUND, images=[dict(SOUND['images'][0], file_name='a\0b')]))
@example(content=dict(SOUND, images=[dict(SOUND['images'][0], file_name='x' * 5000)]))
@example(content=dict(SOUND, images=[dict(SOUND['images'][0], file_name='\ud800')]))
def test_a_tool_works_or_says_one_line(tool, folder, capsys, content):
    (folder / 'ann.json').write_text(json.dumps(content))
    out = folder / 'out'
    module = runpy.run_path(str(ROOT / tool))
    arguments = [text.format(ann=folder / 'ann.json', out=out) for text in TOOLS[tool]]
    before = set(folder.rglob('.*'))
    with pytest.raises(SystemExit) as end:
        cli.main(module['build_parser'], module['run'], arguments)
    errors = [line for line in capsys.readouterr().err.splitlines() if 'error:' in line]
    assert end.value.code in (0, 1) or (end.value.code == 2 and len(errors) == 1)
    assert set(folder.rglob('.*')) == before
    if content is SOUND:
        assert end.value.code == 0
