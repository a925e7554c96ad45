import types

import pytest
import torch
from mmseg.registry import MODELS
from narrow_zoo import SIDE, narrow
from torch import nn

from mmseg_custom.hooks import MaskAnnealingHook
from mmseg_custom.utils import UserError


@pytest.fixture(scope='module')
def model():
    pytest.importorskip('transformers')
    torch.manual_seed(0)
    return MODELS.build(narrow('eomt_dinov2_large_trash').model)


def test_blocks_are_annealed_in_their_phases(model):
    probs = model.backbone.model.attn_mask_probs
    runner = types.SimpleNamespace(model=model, iter=0, max_iters=400)
    hook = MaskAnnealingHook(power=0.9)
    hook.before_train(runner)
    assert probs.tolist() == [1, 1]
    seen = []
    for iteration in range(400):
        runner.iter = iteration
        seen.append(probs.tolist())
        hook.after_train_iter(runner, iteration)
    # Two blocks, so four phases of 100 iterations: the peer's rule with its steps as they follow.
    for iteration, values in enumerate(seen):
        for block, value in enumerate(values):
            start, end = 100 * (block + 1), 100 * (block + 2)
            if iteration < start:
                expected = 1
            elif iteration >= end:
                expected = 0
            else:
                expected = (1 - (iteration - start) / (end - start)) ** 0.9
            assert value == pytest.approx(expected, abs=1e-6), (iteration, block)
    assert probs.tolist() == [0, 0]


@torch.no_grad()
def test_an_annealed_model_predicts_as_without_masks(model):
    eomt = model.backbone.model.eval()
    x = torch.randn(2, 3, SIDE, SIDE)
    hidden = eomt.embeddings(x)
    for number, layer in enumerate(eomt.layers):
        if number == len(eomt.layers) - eomt.config.num_blocks:
            hidden = torch.cat((eomt.query.weight.expand(2, -1, -1), hidden), dim=1)
        hidden = layer(hidden, None)
    masks, classes = eomt.predict(eomt.layernorm(hidden))
    eomt.attn_mask_probs.fill_(0)
    found = eomt(pixel_values=x)
    assert torch.allclose(found.masks_queries_logits, masks, atol=1e-5)
    assert torch.allclose(found.class_queries_logits, classes, atol=1e-5)
    eomt.attn_mask_probs.fill_(1)
    assert not torch.allclose(eomt(pixel_values=x).masks_queries_logits, masks, atol=1e-5)


def test_other_models_are_refused():
    model = nn.Module()
    model.backbone = nn.Linear(1, 1)
    runner = types.SimpleNamespace(model=model, iter=0, max_iters=10)
    with pytest.raises(UserError, match='Linear has no attn_mask_probs'):
        MaskAnnealingHook().before_train(runner)
