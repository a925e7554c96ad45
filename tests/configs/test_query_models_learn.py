"""Models that classify masks learn on the toy set, and a stopped training is resumed exactly."""

import numpy as np
import pytest
import torch
from conftest import ROOT
from narrow_zoo import NARROW
from trainings import short_experiment

from mmseg_custom.apis import train
from mmseg_custom.experiment.config import drop_pretrained
from mmseg_custom.experiment.launch import fit_to_machine

pytest.importorskip('transformers')
ITERATIONS = 50


@pytest.fixture
def run(toy_set, tmp_path):
    """Return a function that trains a narrow model, and its last checkpoint."""

    def train_narrow(family, name, folder, resume=None):
        config = ROOT / 'configs' / f'{name}_trash.py'
        cfg = short_experiment(toy_set, tmp_path / folder, config=config, iterations=ITERATIONS)
        drop_pretrained(cfg.model)
        cfg.merge_from_dict(dict(model=NARROW[family]))
        # From random weights, at the toy set's own size.
        cfg.optim_wrapper.optimizer.lr = 2e-3
        for loader in (cfg.train_dataloader, cfg.val_dataloader):
            pipeline = loader.dataset.pipeline
            loader.dataset.pipeline = [step for step in pipeline if step.type != 'Resize']
        cfg.default_hooks.logger.interval = cfg.log_processor.window_size = 1
        cfg.train_cfg.val_interval, cfg.default_hooks.checkpoint.interval = ITERATIONS, 40
        fit_to_machine(cfg)
        train(cfg, resume)
        return torch.load(tmp_path / folder / f'iter_{ITERATIONS}.pth', weights_only=False)

    return train_narrow


@pytest.mark.parametrize(
    ('family', 'name'), [('eomt', 'eomt_dinov2_small'), ('mask2former', 'mask2former_swin')]
)
def test_the_loss_falls_and_a_resumed_training_is_the_same(family, name, run, tmp_path):
    whole = run(family, name, 'whole')
    losses = np.array(whole['message_hub']['log_scalars']['train/loss'].data[0])
    assert len(losses) == ITERATIONS
    assert losses[-10:].mean() < 0.9 * losses[:10].mean()
    resumed = run(family, name, 'resumed', resume=str(tmp_path / 'whole' / 'iter_40.pth'))
    for key, value in whole['state_dict'].items():
        assert torch.equal(resumed['state_dict'][key], value), key
