"""Report what pretrained weights filled, and refuse those that leave too much at random."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from mmseg_custom.utils.errors import UserError
from mmseg_custom.utils.listing import listing

MAY_DIFFER = re.compile(r'^norm\d+\.|relative_position_bias_table|absolute_pos_embed')


def report_loading(
    source: str,
    model: nn.Module,
    new: Iterable[str] = (),
    may_be_new: Callable[[str], object] = lambda name: False,
) -> None:
    """Print one line about pretrained weights, or refuse them.

    Args:
        source: Names the weights.
        model: What they were loaded into.
        new: Names of the parameters that the weights lack or do not fit, which begin at random.
            Other names (buffers such as masks and positions) are not counted.
        may_be_new: Returns whether a parameter is expected to be new, such as the classifier's.

    Raises:
        UserError: Other parameters are new: names the first of them.
    """
    names = [name for name, _ in model.named_parameters()]
    new = set(new)
    fresh = [name for name in names if name in new]
    refused = [name for name in fresh if not may_be_new(name)]
    if refused:
        raise UserError(
            f'the pretrained weights {source} do not fit the model: '
            f'{len(refused)} of {len(names)} parameters would begin at random, such as '
            f'{listing(refused)}',
            kind='missing-pretrained',
        )
    rest = f'; new: {listing(_parts(fresh))}' if fresh else ''
    text = f'pretrained weights {source}: {len(names) - len(fresh)} of {len(names)} parameters'
    print_log(text + rest, 'current')


def report_backbone(backbone: nn.Module) -> None:
    """Print one line about what MMEngine's ``Pretrained`` loaded into a backbone, or refuse it.

    MMEngine loads without ``strict``: it logs what does not fit, and continues. The norms of a
    transformer's outputs are new in every segmentation model, and tables of relative positions
    are resized to the window.

    Args:
        backbone: After its ``init_weights``; nothing happens without pretrained weights.

    Raises:
        UserError: Other parameters begin at random.
    """
    configs = getattr(backbone, 'init_cfg', None) or []
    for config in [configs] if isinstance(configs, dict) else configs:
        if config.get('type') == 'Pretrained':
            content = CheckpointLoader.load_checkpoint(config['checkpoint'], map_location='cpu')
            weights = content.get('state_dict', content.get('model', content))
            new = names_not_from(backbone, weights)
            report_loading(config['checkpoint'], backbone, new, MAY_DIFFER.search)


def names_not_from(model: nn.Module, weights: Mapping[str, torch.Tensor]) -> set[str]:
    """Return the names of the parameters whose values are in none of the weights.

    Libraries rename while they load, so that the values are compared, not the names.

    Args:
        model: After loading.
        weights: The content of the file.
    """
    by_size: dict[int, list[torch.Tensor]] = {}
    for value in weights.values():
        if isinstance(value, torch.Tensor):
            by_size.setdefault(value.numel(), []).append(value.flatten())
    missing = set()
    for name, param in model.named_parameters():
        value = param.detach().flatten().cpu()
        # Another order of the elements is the same weights (Swin's merged patches).
        found = any(
            torch.equal(value, other.to(value)) or _same_elements(value, other.to(value))
            for other in by_size.get(value.numel(), ())
        )
        if not found:
            missing.add(name)
    return missing


def fetch_twice(make: Callable[[], nn.Module]) -> tuple[nn.Module, set[str]]:
    """Build a model with pretrained weights, and find what they left at random.

    For libraries that do not report it: what was loaded is equal in two models, what was drawn
    differs. PyTorch's generator keeps its state.

    Args:
        make: Builds the model.

    Returns:
        tuple[nn.Module, set[str]]: The model, and the names of the parameters that were drawn.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = make()
        torch.manual_seed(1)
        other = dict(make().named_parameters())
    drawn = {name for name, value in model.named_parameters() if not value.equal(other[name])}
    return model, drawn


def _same_elements(first: torch.Tensor, second: torch.Tensor) -> bool:
    return torch.equal(first.sort().values, second.sort().values)


def _parts(names: Sequence[str]) -> list[str]:
    """Return the modules that hold the parameters, each once, in order."""
    return list(dict.fromkeys(name.rpartition('.')[0] or name for name in names))
