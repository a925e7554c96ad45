"""A training iteration through the Runner and its hooks, against a plain PyTorch loop."""

import tempfile
from pathlib import Path

import torch
from mmengine.runner import Runner
from mmseg.registry import MODELS

from mmseg_custom.apis.runner import TrashRunner
from mmseg_custom.experiment.config import load_config, set_options
from mmseg_custom.experiment.launch import fit_to_machine
from mmseg_custom.toy import write_toy_set

from .timing import Comparison, compare

CONFIG = Path(__file__).resolve().parents[1] / 'configs' / 'upernet_swin_toy.py'
ITERATIONS = 20


def run() -> Comparison:
    """Compare the toy recipe, loading included; both train the same model on the same photos."""
    with tempfile.TemporaryDirectory() as folder:
        write_toy_set(folder, train=40, val=1, test=0)
        cfg = load_config(str(CONFIG), work_dir=folder)
        set_options(cfg, data_root=folder)
        cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
        cfg.log_level = 'ERROR'
        fit_to_machine(cfg)
        ours, peer = _runner_iterations(cfg), _plain_iterations(cfg)
        return compare(
            'training iteration with all hooks (toy recipe, 8 photos of 128x128)',
            lambda: [next(ours) for _ in range(ITERATIONS)],
            'a plain PyTorch loop',
            lambda: [next(peer) for _ in range(ITERATIONS)],
            ITERATIONS,
            goal=1.05,
        )


def _runner_iterations(cfg):
    """Train by the Runner, pausing after each iteration."""
    runner = TrashRunner.from_cfg(cfg)
    runner._train_loop = loop = runner.build_train_loop(cfg.train_cfg)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.scale_lr(runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    runner._init_model_weights()
    runner.optim_wrapper.initialize_count_status(runner.model, 0, loop.max_iters)
    for moment in ('before_run', 'before_train', 'before_train_epoch'):
        runner.call_hook(moment)
    runner.model.train()
    while True:
        yield loop.run_iter(next(loop.dataloader_iterator))


def _plain_iterations(cfg):
    """Train by hand: load, forward, backward, clip nothing, step, change the rate."""
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.train()
    options = {key: value for key, value in cfg.optim_wrapper.optimizer.items() if key != 'type'}
    optimizer = torch.optim.AdamW(model.parameters(), **options)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1e-6, total_iters=50)
    loader = iter(Runner.build_dataloader(cfg.train_dataloader, seed=0))
    while True:
        batch = model.data_preprocessor(next(loader), training=True)
        losses = model(**batch, mode='loss')
        total = sum(value for name, value in losses.items() if 'loss' in name)
        total.backward()
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
        yield total.item()
