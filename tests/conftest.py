"""Small data sets made by code, one training that many tests share, and the real photos."""

import contextlib
import io
import json
import os
import re
import runpy
import sys
import time
from pathlib import Path

# Small tensors: threads would only wait for each other, and their sums have other last digits.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
PROGRESS = re.compile(r'\d+%\|.*\| \d+/\d+ \[|: \d+/\d+ .* elapsed')
REAL = ROOT / 'samples' / 'recycle_trash'

sys.path.insert(0, str(ROOT / 'tests'))

from object_store import bucket, s3_server  # noqa: E402, F401  (fixtures)
from photo_commands import photo_world  # noqa: E402, F401  (fixture)
from processes import (  # noqa: E402
    format_each_config_once,
    run_to_end,
    spare_collector,
    start_to_end,
)
from products import (  # noqa: E402, F401  (fixtures)
    random_checkpoint,
    toy_set,
    trained,
    trained_by_two,
)
from serving import free_port as find_free_port  # noqa: E402

# A busy machine is slow at any time: how long an example takes says nothing.
settings.register_profile('not timed', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('not timed')

SLOW_FOLDERS = {'apps', 'benchmarks', 'configs', 'fuzz', 'tools'}
SLOW_FIXTURES = {'trained', 'trained_by_two', 'random_checkpoint', 'chromium'}
# These take a minute: they are started first, so that no worker waits for one at the end.
LONGEST = (
    'test_a_killed_training_loses_nothing',
    'test_rounds_until_nothing_is_gained',
    'test_one_of_two_',
    'test_sigterm_stops_two_processes',
    'test_it_trains_from_another_folder',
    'test_all_comparisons_run',
    'test_the_site_is_built',
)
# Tests of these folders (and files beside them) run without torch.
WITHOUT_TORCH = (
    'data_prep',
    'mmseg_custom/coco',
    'mmseg_custom/formats',
    'mmseg_custom/toy',
    'mmseg_custom/utils',
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One worker more than cores: a third of the time is waiting for other processes.

    Each takes up to 2 GiB, hence four at most, if the user asks for no other number.
    """
    if 'PYTEST_XDIST_AUTO_NUM_WORKERS' in os.environ:
        return None
    usable = getattr(os, 'sched_getaffinity', None)
    return min(4, (len(usable(0)) if usable else os.cpu_count() or 1) + 1)


@pytest.fixture
def free_port() -> int:
    """A port of this machine at which nothing listens."""
    return find_free_port()


@pytest.fixture
def real_sample() -> Path:
    """The folder of the 50 real photos that come with the project."""
    return REAL


@pytest.fixture(scope='session')
def plugins():
    """Import everything that is registered, once."""
    import mmseg_custom.plugins  # noqa: F401

    format_each_config_once()
    spare_collector()


@pytest.fixture
def mmseg_scope(plugins):
    """Let configs with bare type names be built in tests as they are in a run."""
    from mmengine.registry import init_default_scope

    init_default_scope('mmseg')


@pytest.fixture(autouse=True)
def _mmseg_scope(request):
    """Give it to the tests of everything but the data tools, which run without torch."""
    if needs_torch(request.path):
        request.getfixturevalue('mmseg_scope')


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark as slow what drives complete commands or needs a training or a browser."""
    for item in items:
        folder = item.path.relative_to(ROOT / 'tests').parts[0]
        if folder in SLOW_FOLDERS or SLOW_FIXTURES.intersection(item.fixturenames):
            item.add_marker('slow')
    yield
    # After pytest-randomly's shuffle.
    items.sort(key=lambda item: not item.name.startswith(LONGEST))


@pytest.fixture(scope='session')
def worker_id(request) -> str:
    """Name the worker of pytest-xdist, also where that is not installed."""
    return os.environ.get('PYTEST_XDIST_WORKER', 'master')


def needs_torch(path: Path) -> bool:
    name = path.relative_to(ROOT / 'tests').as_posix()
    return '/' in name and not name.startswith(WITHOUT_TORCH)


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


def tool(path: str, *arguments, code: int = 0, env: dict | None = None, start: bool = False):
    """Run a tool in a process of its own and check its exit code.

    Args:
        path: Of the tool, relative to the project.
        *arguments: Of its command line.
        code: The exit code expected.
        env: Added to the environment.
        start: Start Python, as a user does, also for tools that import torch (six seconds), which
            are forked otherwise.
    """
    forked = path.endswith('.py') and not path.startswith('data_prep/') and not start
    return (run_to_end if forked else start_to_end)(path, *arguments, code=code, env=env)


last_end: list[int] = []


def run_here(path: str, *arguments) -> None:
    """Run a tool in this process, which it ends with SystemExit.

    A training has a second of its own: MMEngine finds loggers and visualizers by config and second.
    """
    from mmseg_custom import cli

    module = runpy.run_path(str(ROOT / path))
    while path == 'tools/train.py' and [int(time.time())] == last_end:
        time.sleep(0.02)
    try:
        cli.main(module['build_parser'], module['run'], [*map(str, arguments)])
    finally:
        last_end[:] = [int(time.time())]


def call_tool(capsys, path: str, *arguments, code: int = 0):
    """Run a tool in this process: importing torch takes seconds.

    Beside progress bars, a user's mistake has to be one line on standard error (and indented rows
    of a table), success none.
    """
    with pytest.raises(SystemExit) as end:
        run_here(path, *arguments)
    captured = capsys.readouterr()
    assert end.value.code == code, captured.err
    written = [line for line in captured.err.splitlines() if line.strip()]
    lines = [line for line in written if not PROGRESS.search(line) and line[:2] != '  ']
    assert len(lines) == (code == 2), captured.err
    return captured


def outcome_of(path: str, *arguments) -> tuple[int, str]:
    """Run a tool in this process; returns its exit code and all that it printed."""
    text = io.StringIO()
    with contextlib.redirect_stderr(text), contextlib.redirect_stdout(text):
        try:
            run_here(path, *arguments)
        except SystemExit as end:
            return end.code, text.getvalue()
    raise AssertionError('the tool did not end')
