"""What the project's own tools made, shared by all tests of a session."""

from pathlib import Path

import pytest
from processes import ROOT, run_to_end, start_to_end
from shared_builds import assert_unchanged, built_once

TOY = ROOT / 'configs' / 'upernet_swin_toy.py'
ITERS = 20
SHORT = [
    f'train_cfg.max_iters={ITERS}',
    f'train_cfg.val_interval={ITERS // 2}',
    'default_hooks.checkpoint.interval=4',
    # the loss of every iteration, not a mean
    'default_hooks.logger.interval=1',
    'log_processor.window_size=1',
]
# Several classes win somewhere: a classifier as large as this is as sure as a trained one.
LARGE_CLASSIFIER = [
    'model.decode_head.init_cfg.type=Normal',
    'model.decode_head.init_cfg.std=30',
    'model.decode_head.init_cfg.override.name=conv_seg',
]


def shared(tmp_path_factory, worker_id, name, build):
    """Yield a folder that is built once a session; fail at its end if a test has changed it."""
    folder = built_once(tmp_path_factory, worker_id, name, build)
    yield folder
    assert_unchanged(folder)


def training(toy_set: Path, options: list[str], seed: int = 3, processes: int = 1):
    """Return the function that trains the toy model into a folder."""

    def train(folder: Path) -> None:
        arguments = ['--data-root', toy_set, '--work-dir', folder, '--seed', seed]
        arguments += ['--cfg-options', *options]
        if processes == 1:
            run_to_end('tools/train.py', TOY, *arguments)
        else:
            start_to_end('tools/dist_train.sh', TOY, processes, *arguments)

    return train


@pytest.fixture(scope='session')
def toy_set(tmp_path_factory, worker_id):
    """A small toy set drawn by the project's own tool."""

    def draw(folder: Path) -> None:
        sizes = ['--train', '24', '--val', '7', '--test', '3', '--size', '64']
        start_to_end('data_prep/make_toy_trash.py', '--out', folder, *sizes)

    yield from shared(tmp_path_factory, worker_id, 'toy', draw)


@pytest.fixture(scope='session')
def trained(toy_set, tmp_path_factory, worker_id):
    """The work folder of an undisturbed training of 20 iterations on the toy set."""
    yield from shared(tmp_path_factory, worker_id, 'trained', training(toy_set, SHORT))


@pytest.fixture(scope='session')
def trained_by_two(toy_set, tmp_path_factory, worker_id):
    """The same training by two processes, which torchrun started."""
    train = training(toy_set, SHORT, processes=2)
    yield from shared(tmp_path_factory, worker_id, 'trained_by_two', train)


@pytest.fixture(scope='session')
def random_checkpoint(toy_set, tmp_path_factory, worker_id):
    """A checkpoint that train.py wrote after one tiny step from weights of several classes."""
    options = ['train_cfg.max_iters=1', 'train_cfg.val_interval=1', *LARGE_CLASSIFIER]
    train = training(toy_set, options, seed=0)
    for folder in shared(tmp_path_factory, worker_id, 'random', train):
        yield folder / 'iter_1.pth'
