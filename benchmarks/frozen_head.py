"""Train only the head of the laptop experiment, on features that are computed once for each photo.

This makes studies with hundreds of trainings possible on one core: the backbone is EfficientNet-
Lite0, or a larger one, with ImageNet weights, which has seen no photo of trash, and it sees each
photo (and its mirror image, as augmentation) once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from mmseg_custom.classes import ClassList
from mmseg_custom.coco.labelled_set import open_set
from mmseg_custom.coco.masks import sample_mask
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.experiment.config import load_config
from mmseg_custom.utils.progress import tqdm

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / 'configs' / 'laptop_efflite0_trash.py'
SIDE, BATCH, CHANNELS = 96, 8, 64
LEARNING_RATE, WEIGHT_DECAY = 1e-2, 0.01


@dataclass(frozen=True)
class FrozenSet:
    """A labeled set as the head sees it.

    Attributes:
        samples: See :func:`~mmseg_custom.coco.labelled_set.labelled_samples`.
        classes: What the labels mean.
        views: Feature maps of the photos and of their mirror images: two lists of levels, each
            ``(N, c, h, w)`` float32.
        labels: ``(N, SIDE, SIDE)`` uint8.
    """

    samples: list[dict]
    classes: ClassList
    views: tuple[list[Tensor], list[Tensor]]
    labels: np.ndarray

    @property
    def pooled(self) -> np.ndarray:
        """Return the mean over the pixels of the deepest features: ``(N, c)`` float32."""
        return self.views[0][-1].mean(dim=(2, 3)).numpy()


def load_frozen_set(
    ann: str | Path, data_root: str | None = None, backbone: str = 'EfficientNetLite0'
) -> FrozenSet:
    """Read a set, and compute the features of all its photos.

    Args:
        ann: COCO file.
        data_root: Folder of its photos; its own folder if None.
        backbone: Registered name of the frozen one.
    """
    data, classes, _ = open_set([str(ann)], data_root=data_root)
    network = build_part('backbone', type=backbone).eval()
    levels: tuple[list, list] = ([], [])
    labels = []
    for sample in tqdm(data.samples, 'features', unit='photo'):
        photo = cv2.resize(
            read_photo(sample['img_path']), (SIDE, SIDE), interpolation=cv2.INTER_AREA
        )
        labels.append(small_mask(sample_mask(sample, Path(), classes)))
        for view, pixels in zip(levels, (photo, photo[:, ::-1]), strict=True):
            with torch.inference_mode():
                view.append(network(normalized(pixels)))
    views = tuple([torch.cat(level) for level in zip(*view, strict=True)] for view in levels)
    return FrozenSet(data.samples, classes, views, np.stack(labels))  # type: ignore[arg-type]


def build_part(name: str, **changes) -> nn.Module:
    """Build ``backbone`` (with its ImageNet weights) or ``decode_head`` of the experiment."""
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    from mmseg_custom import plugins  # noqa: F401  (registers the model's parts)

    init_default_scope('mmseg')
    part = MODELS.build(dict(load_config(str(CONFIG)).model[name], **changes))
    part.init_weights()
    return part


def normalized(photo: np.ndarray) -> Tensor:
    """Return what the backbone takes, ``(1, 3, H, W)`` float32, of an ``(H, W, 3)`` BGR photo."""
    rgb = np.ascontiguousarray(photo[..., ::-1].transpose(2, 0, 1), np.float32)
    return torch.from_numpy((rgb - 127) / 128)[None]


def small_mask(mask: np.ndarray) -> np.ndarray:
    """Return an ``(H, W)`` uint8 mask at the size of the training."""
    return cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)


def train_head(
    data: FrozenSet,
    labels: np.ndarray,
    places: Sequence[int],
    seed: int,
    iterations: int,
    first_level: int = 0,
) -> nn.Module:
    """Train a head from scratch.

    Args:
        data: The features.
        labels: ``(N, SIDE, SIDE)`` uint8 of all photos; only those of ``places`` are read.
        places: Photos to train on.
        seed: Of the weights and of the order.
        iterations: Steps of ``BATCH`` photos.
        first_level: 1: leave out the finest features, which takes a quarter of the time.

    Returns:
        nn.Module: In evaluation mode.
    """
    head = new_head(data, seed, first_level)
    rng = np.random.default_rng(seed)
    truths = [torch.from_numpy(one.astype(np.int64)) for one in (labels, labels[..., ::-1])]
    for step in training_steps(head, iterations):
        batch = torch.from_numpy(rng.choice(places, BATCH))
        view = int(rng.integers(2))
        logits = head([level[batch] for level in data.views[view]])
        step(
            nn.functional.cross_entropy(
                enlarged(logits), truths[view][batch], ignore_index=data.classes.ignore_index
            )
        )
    return head.eval()


def new_head(data: FrozenSet, seed: int, first_level: int = 0) -> nn.Module:
    """Return a head with random weights, to be trained; see :func:`train_head`."""
    torch.manual_seed(seed)
    channels = [level.shape[1] for level in data.views[0][first_level:]]
    return build_part(
        'decode_head',
        num_classes=len(data.classes),
        channels=CHANNELS,
        in_channels=channels,
        in_index=list(range(first_level, first_level + len(channels))),
    ).train()


def training_steps(
    head: nn.Module, iterations: int, factor: float = 1.0
) -> Iterator[Callable[[Tensor], None]]:
    """Yield for each iteration a function that takes the loss and changes the head.

    Args:
        head: What is trained.
        iterations: Number of steps.
        factor: Of the learning rate.
    """
    rate = factor * LEARNING_RATE
    optimizer = torch.optim.AdamW(head.parameters(), rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, iterations, pct_start=0.1, anneal_strategy='linear'
    )

    def step(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

    for _ in range(iterations):
        yield step


@torch.inference_mode()
def probabilities(head: nn.Module, data: FrozenSet, place: int, view: int = 0) -> np.ndarray:
    """Return ``(C, SIDE, SIDE)`` float32 probabilities of a photo.

    Args:
        head: See :func:`train_head`.
        data: The features.
        place: Number of the photo in the set.
        view: 1: computed on the mirror image, and mirrored back.
    """
    logits = head([level[place : place + 1] for level in data.views[view]])
    found = enlarged(logits).softmax(dim=1)[0].numpy()
    return np.ascontiguousarray(found[..., ::-1]) if view else found


def enlarged(logits: Tensor) -> Tensor:
    """Return logits at the size of the labels."""
    return nn.functional.interpolate(logits, (SIDE, SIDE), mode='bilinear', align_corners=False)


def quiet() -> None:
    """Take one core, and print no lists of initialized weights."""
    from mmengine.logging import MMLogger

    torch.set_num_threads(1)
    MMLogger.get_instance('studies', log_level='ERROR')
