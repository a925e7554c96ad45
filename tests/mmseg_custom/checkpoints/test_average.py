import pytest
import torch

from mmseg_custom.checkpoints.average import average_checkpoints, save_average
from mmseg_custom.utils import UserError


def write(path, seed, size=4):
    torch.manual_seed(seed)
    state = dict(w=torch.randn(size, 3), half=torch.randn(2).half(), n=torch.tensor(seed))
    torch.save(dict(state_dict=state, meta=dict(seed=seed)), path)
    return state


@pytest.mark.parametrize('weights', [None, [1.0, 0.0, 3.0]])
def test_weights_are_averaged_and_counters_are_not(tmp_path, weights):
    paths = [tmp_path / f'{seed}.pth' for seed in range(3)]
    states = [write(path, seed) for seed, path in enumerate(paths)]
    save_average(tmp_path / 'soup.pth', average_checkpoints(paths, weights))
    content = torch.load(tmp_path / 'soup.pth', weights_only=True)
    shares = torch.tensor(weights or [1.0] * 3, dtype=torch.float64)
    shares /= shares.sum()
    expected = sum(s * state['w'].double() for s, state in zip(shares, states, strict=True))
    assert torch.allclose(content['state_dict']['w'].double(), expected, atol=1e-7)
    assert content['state_dict']['half'].dtype == torch.float16
    assert content['state_dict']['n'] == 0
    assert content['meta'] == dict(seed=0)


def test_another_model_is_refused(tmp_path):
    write(tmp_path / 'a.pth', 0)
    write(tmp_path / 'b.pth', 1, size=5)
    with pytest.raises(UserError, match=r'b\.pth: is of another model than .*a\.pth'):
        average_checkpoints([tmp_path / 'a.pth', tmp_path / 'b.pth'])
