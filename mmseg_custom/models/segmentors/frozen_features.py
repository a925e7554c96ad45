"""Features of a frozen backbone, computed once for each photo."""

import hashlib

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

MAX_BYTES = 4 * 2**30
# By backbone, what the next training in this process takes over; None: nothing is kept.
_of_backbones: dict[tuple, dict] | None = None


def keep_for_next_training() -> None:
    """Let trainings of this process that have the same frozen backbone use the same features."""
    global _of_backbones
    _of_backbones = {}


class FrozenFeatures:
    """Runs a backbone in evaluation mode without gradients and keeps what it returns.

    A photo is known again by the content of its tensor, so that pipelines without augmentation
    reuse the features, and others merely train with a frozen backbone.

    Args:
        backbone: The backbone; its parameters are frozen in place.
        max_bytes: Memory for features; what does not fit is computed each time.
    """

    def __init__(self, backbone: nn.Module, max_bytes: int = MAX_BYTES):
        self.backbone = backbone.requires_grad_(False)
        self.room = max_bytes
        self._known: dict[bytes, tuple[Tensor, ...]] | None = None

    @property
    def is_full(self) -> bool:
        """Whether no more features are kept."""
        return self.room <= 0

    def __call__(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps of ``(N, C, H, W)`` float photos, each ``(N, c, h, w)``."""
        return stack_levels(self.of_each(inputs))

    def of_each(self, inputs: Tensor) -> list[tuple[Tensor, ...]]:
        """Return for each of ``(N, C, H, W)`` float photos its feature maps, ``(c, h, w)``."""
        if self._known is None:
            self._known = self._take_over(inputs.device)
        known = self._known
        digests = [_digest(photo) for photo in inputs]
        found = {digest: known.get(digest) for digest in digests}
        new = [place for place, digest in enumerate(digests) if found[digest] is None]
        if new:
            self.backbone.eval()
            with torch.no_grad():
                maps = self.backbone(inputs[new])
            for row, place in enumerate(new):
                features = tuple(one[row].clone() for one in maps)
                found[digests[place]] = features
                self._keep(known, digests[place], features)
        return [found[digest] for digest in digests]  # type: ignore[misc]

    def _take_over(self, device: torch.device) -> dict[bytes, tuple[Tensor, ...]]:
        """Return the features that are known of this backbone at this precision."""
        if _of_backbones is None:
            return {}
        weights = sorted(self.backbone.state_dict().items())
        content = b''.join(_digest(value) for _, value in weights)
        autocast = torch.is_autocast_enabled(device.type), torch.get_autocast_dtype(device.type)
        key = type(self.backbone), content, device, autocast
        if key not in _of_backbones:
            _of_backbones.clear()
            _of_backbones[key] = {}
        known = _of_backbones[key]
        self.room -= sum(level.nbytes for photo in known.values() for level in photo)
        return known

    def _keep(self, known: dict, digest: bytes, features: tuple[Tensor, ...]) -> None:
        if digest in known or self.is_full:
            return
        self.room -= sum(one.nbytes for one in features)
        if self.is_full:
            print_log(
                f'the memory for features is full ({len(known)} photos): those of other '
                'photos are computed each time',
                'current',
            )
            return
        known[digest] = features


def stack_levels(photos: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Return the feature maps of photos as a batch: a tensor ``(N, c, h, w)`` for each level."""
    return tuple(torch.stack(level) for level in zip(*photos, strict=True))


def _digest(photo: Tensor) -> bytes:
    return hashlib.blake2b(photo.detach().cpu().numpy().tobytes(), digest_size=16).digest()
