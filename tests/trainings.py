"""Short trainings, by tools/train.py and in this process."""

import itertools
from pathlib import Path

import torch
from processes import run_to_end
from products import ITERS, SHORT, TOY

# Loading workers change nothing, and take long to start.
ALONE = ['train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
RUN = itertools.count()


def short_experiment(data_root, work_dir, *options, config=TOY, iterations=2):
    """A short training on photos of 64x64, with a checkpoint and a validation every two steps."""
    from mmseg_custom.experiment.config import load_config, set_options
    from mmseg_custom.experiment.named_parts import add_options, set_augmentation
    from mmseg_custom.experiment.schedule import set_max_iters

    cfg = load_config(str(config), work_dir=str(work_dir))
    set_options(cfg, data_root=str(data_root), batch_size=4, seed=3)
    set_augmentation(cfg, 'none')
    add_options(cfg, options)
    set_max_iters(cfg, iterations)
    cfg.train_cfg.val_interval = cfg.default_hooks.checkpoint.interval = 2
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    # Two runs that begin in the same second would share their log.
    cfg.experiment_name = f'run_{next(RUN)}'
    return cfg


def train(data: Path, work_dir: Path, *more, config: Path = TOY, code: int = 0, options=()):
    """Train as the shared training was trained.

    Args:
        data: The data.
        work_dir: Where to write.
        *more: Further arguments.
        config: The experiment.
        code: The exit code it has to end with.
        options: For --cfg-options, behind those of the shared training.
    """
    seed = [] if '--seed' in more else ['--seed', 3]
    arguments = [config, '--data-root', data, '--work-dir', work_dir, *seed, *more]
    every = [*SHORT, *ALONE, *options]
    return run_to_end('tools/train.py', *arguments, '--cfg-options', *every, code=code)


def content_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    files = (path for path in sorted(folder.rglob('*')) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def arguments(toy_set, work_dir, *more, options=SHORT) -> list[str]:
    """Return the arguments of train.py behind the config, as the shared training has them."""
    common = ['--data-root', toy_set, '--work-dir', work_dir, '--seed', 3, *more]
    return [*map(str, common), '--cfg-options', *options]


def assert_same_end(first: Path, second: Path) -> None:
    """Compare the last weights of two work folders bit by bit."""
    first, second = (
        torch.load(folder / f'iter_{ITERS}.pth', weights_only=False)['state_dict']
        for folder in (first, second)
    )
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())
