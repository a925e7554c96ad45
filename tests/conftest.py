"""Small data sets made by code, and the real photos where they are."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRESS = re.compile(r'\d+%\|.*\| \d+/\d+ \[')
REAL = ROOT.parent / 'shared' / 'data' / 'recycle_trash_sample'

sys.path.insert(0, str(ROOT / 'tests'))


@pytest.fixture
def real_sample() -> Path:
    """The folder of 50 real photos; a test that needs it is skipped where it is missing."""
    if not (REAL / 'train_all.json').is_file():
        pytest.skip(f'the real photos are not at {REAL}')
    return REAL


@pytest.fixture(autouse=True)
def _mmseg_scope():
    """Let configs with bare type names be built in tests as they are in a run."""
    from mmengine.registry import init_default_scope

    import mmseg_custom.plugins  # noqa: F401

    init_default_scope('mmseg')


def coco(images, annotations, names=('General trash', 'Paper', 'Plastic bag')) -> dict:
    """A COCO object whose category ids are 7, 8, …, never the labels."""
    return dict(
        info={},
        licenses=[],
        images=images,
        categories=[dict(id=7 + i, name=name) for i, name in enumerate(names)],
        annotations=annotations,
    )


@pytest.fixture
def small_set(tmp_path):
    """Write photos and annotations; returns a function ``(content, missing=()) -> json path``."""

    def write(content: dict, missing=()) -> Path:
        rng = np.random.default_rng(0)
        for image in content['images']:
            if image['file_name'] in missing:
                continue
            path = tmp_path / image['file_name']
            path.parent.mkdir(parents=True, exist_ok=True)
            photo = rng.integers(0, 256, (image['height'], image['width'], 3), np.uint8)
            assert cv2.imwrite(str(path), photo)
        path = tmp_path / 'ann.json'
        path.write_text(json.dumps(content))
        return path

    return write


@pytest.fixture(scope='session')
def random_checkpoint(tmp_path_factory) -> Path:
    """Random weights of the toy model, scaled so that several classes win somewhere."""
    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmengine.runner import save_checkpoint
    from mmseg.registry import MODELS

    from mmseg_custom.coco import CLASSES

    init_default_scope('mmseg')
    torch.manual_seed(0)
    config = Config.fromfile(str(ROOT / 'configs' / 'upernet_swin_toy.py'))
    model = MODELS.build(config.model)
    model.decode_head.conv_seg.weight.data *= 300
    path = tmp_path_factory.mktemp('weights') / 'a.pth'
    meta = dict(dataset_meta=dict(classes=CLASSES))
    save_checkpoint(dict(state_dict=model.state_dict(), meta=meta), str(path))
    return path


@pytest.fixture(scope='session')
def toy_set(tmp_path_factory) -> Path:
    """A small toy set drawn by the project's own tool."""
    folder = tmp_path_factory.mktemp('toy')
    sizes = ['--train', '24', '--val', '7', '--test', '3', '--size', '64']
    tool('data_prep/make_toy_trash.py', '--out', folder, *sizes)
    return folder


def tool(path: str, *arguments, code: int = 0, env: dict | None = None, cwd: Path = ROOT):
    """Run a tool as a user does and check its exit code."""
    command = ['bash'] if path.endswith('.sh') else [sys.executable]
    command += [str(ROOT / path), *map(str, arguments)]
    environment = os.environ | {'PYTHON': sys.executable} | (env or {})
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)
    assert done.returncode == code, f'{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
    return done


def call_tool(capsys, path: str, *arguments, code: int = 0):
    """Run a tool in this process: importing torch anew takes seconds.

    Beside progress bars, a user's mistake has to be one line on standard error, success none.
    """
    from mmseg_custom import cli

    module = runpy.run_path(str(ROOT / path))
    with pytest.raises(SystemExit) as end:
        cli.main(module['build_parser'], module['run'], [*map(str, arguments)])
    captured = capsys.readouterr()
    assert end.value.code == code, captured.err
    written = [line for line in captured.err.splitlines() if line.strip()]
    lines = [line for line in written if not PROGRESS.search(line)]
    assert len(lines) == (code == 2), captured.err
    return captured
