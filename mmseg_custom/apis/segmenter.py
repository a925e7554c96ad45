"""A trained model as a function of a photo."""

import os
import re
from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_custom import plugins  # noqa: F401, I001  (registers what configs name; before mmseg)
from mmseg_custom.checkpoints.checkpoint import classes_of, require_same_weights, state_of
from mmseg_custom.checkpoints.model_folder import fetch_model_folder
from mmseg_custom.checkpoints.safe_load import load_checkpoint
from mmseg_custom.coco.photos import Photo, to_bgr
from mmseg_custom.experiment.changes import INITIAL_WEIGHTS
from mmseg_custom.experiment.config import drop_pretrained, load_config
from mmseg_custom.experiment.set_classes import set_classes
from mmseg_custom.experiment.stored import differences, stored_experiment
from mmseg_custom.experiment.tta import photo_pipeline, set_tta
from mmseg_custom.models.probabilities import are_finite, sample_probabilities
from mmseg_custom.utils.digests import digest_of_data, digest_of_file
from mmseg_custom.utils.likeliest import likeliest
from mmseg_custom.utils.model_folder import weights_path
from mmseg_custom.utils.non_finite import NonFiniteOutput
from mmseg_custom.utils.plain_data import flatten

from .segmentation import Segmentation

# The part of an experiment that decides over results, beside the pipeline of the photos.
DECIDING = ('model', 'data_preprocessor')


class TrashSegmenter:
    """Finds the classes in photos with a trained model.

    Several threads may call one segmenter at the same time; it keeps no state between calls.

    Args:
        config: The experiment, as a file or as MMEngine's ``Config``; None, or the checkpoint
            alone: the experiment that the checkpoint carries.
        checkpoint: The ``.pth`` or ``.safetensors`` file, or a model folder; nothing in it is run
            (:func:`mmseg_custom.checkpoints.safe_load.load_checkpoint`).
        device: Such as ``'cpu'`` or ``'cuda:1'``; None: the best there is.
        tta: Average over the views of ``configs/_base_/tta/NAME.py``; None: the photo alone.
        classes: See :func:`~mmseg_custom.classes.class_list`; None: those that the checkpoint
            carries, or else the experiment's.

    Attributes:
        classes (ClassList): What the labels mean.
        pipeline (list): Configs of the transforms that each photo goes through.

    Raises:
        UserError: No valid config, a checkpoint of another model or other classes, or no such
            views.

    Example:
        >>> segmenter = TrashSegmenter('weights/trash11')
        >>> segmenter('photo.jpg').area_shares
        {'Background': 0.93, 'Plastic bag': 0.07}
    """

    def __init__(
        self,
        config: str | os.PathLike | Config | None,
        checkpoint: str | os.PathLike | None = None,
        device: str | None = None,
        tta: str | None = None,
        classes: Any = None,
    ):
        if checkpoint is None:
            if config is None or isinstance(config, Config):
                raise TypeError('TrashSegmenter: the checkpoint is missing')
            checkpoint, config = config, None
        checkpoint = weights_path(checkpoint)
        cfg = _experiment_of(config, checkpoint)
        drop_pretrained(cfg.model)
        content, source = load_checkpoint(checkpoint), os.fspath(checkpoint)
        self.classes = set_classes(cfg, classes, classes_of(content, source), source)
        different = None if isinstance(config, Config) else differences(cfg, checkpoint)
        if different:
            print(different, flush=True)
        if tta:
            set_tta(cfg, tta)
        model = MODELS.build(cfg.model)
        inner = model.module if tta else model
        require_same_weights(source, content, inner)
        inner.load_state_dict(state_of(content))
        self.pipeline = photo_pipeline(cfg)
        self._prepare = Compose(self.pipeline)
        self.device = torch.device(device or get_device())
        self.model = model.to(self.device).eval()
        self.name = os.fspath(checkpoint)
        self.made_from = dict(
            config=digest_of_data(deciding(cfg), os.path.basename(cfg.filename or 'config')),
            weights=digest_of_file(checkpoint),
            classes=self.classes.to_plain(),
            tta=tta,
        )

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike,
        *,
        revision: str | None = None,
        cache_dir: str | os.PathLike | None = None,
        local_files_only: bool = False,
        **kwargs: Any,
    ) -> 'TrashSegmenter':
        """Load a model folder from here or from the Hugging Face Hub.

        Nothing in it is run: it is tensors and plain data, and the model is built from the names of
        registered parts only.

        Args:
            name: A folder that ``tools/package_model.py`` wrote, such as ``weights/trash11``, or
                the id of a repository on the Hub with its content, such as ``owner/model``.
            revision: Of the Hub: branch, tag or commit.
            cache_dir: Of the Hub: its cache; None: the usual place.
            local_files_only: Of the Hub: use the cache alone.
            **kwargs: ``device``, ``tta`` and ``classes`` of :class:`TrashSegmenter`.

        Raises:
            UserError: No such folder or repository, or no model folder.

        Example:
            >>> TrashSegmenter.from_pretrained('weights/trash11')('photo.jpg').area_shares
            {'Background': 0.71, 'Plastic': 0.29}
        """
        folder = os.fspath(name)
        if not os.path.isdir(folder):
            folder = fetch_model_folder(folder, revision, cache_dir, local_files_only)
        return cls(None, weights_path(folder), **kwargs)

    def __call__(self, photo: Photo) -> Segmentation:
        """Segment one photo.

        Args:
            photo: A file (EXIF rotation is honoured), a Pillow image, or an ``(H, W, 3)`` uint8
                RGB array.

        Raises:
            UserError: The file is missing or broken, or the array has another form.
        """
        return self.batch([photo])[0]

    @torch.inference_mode()
    def batch(self, photos: Sequence[Photo]) -> list[Segmentation]:
        """Segment several photos of one size in one pass; photos of different sizes in turn.

        Args:
            photos: See :meth:`__call__`.

        Returns:
            list[Segmentation]: In the same order.
        """
        arrays = [to_bgr(photo) for photo in photos]
        if len({array.shape for array in arrays}) > 1:
            return [result for array in arrays for result in self._run([array])]
        return self._run(arrays)

    def _run(self, arrays: list[np.ndarray]) -> list[Segmentation]:
        prepared = [self._prepare(dict(img=array)) for array in arrays]
        found = self.model.test_step(pseudo_collate(prepared))
        return [self._result(sample, place) for place, sample in enumerate(found)]

    def _result(self, sample: SegDataSample, place: int) -> Segmentation:
        logits = sample.seg_logits.data
        if not are_finite(logits):
            raise NonFiniteOutput.of(self.name, f'photo {place + 1} of the batch')
        compute = partial(_probabilities, logits)
        # mmseg has a threshold of its own for one class. Results do not keep memory of a GPU.
        if len(logits) == 1 or logits.device.type != 'cpu':
            probabilities = compute()
            return Segmentation(likeliest(probabilities), probabilities, self.classes)
        mask = sample.pred_sem_seg.data[0].to(torch.uint8).numpy()
        return Segmentation.with_later_probabilities(mask, compute, self.classes)


def _probabilities(logits: torch.Tensor) -> np.ndarray:
    return sample_probabilities(logits).cpu().numpy()


def _experiment_of(config: str | os.PathLike | Config | None, checkpoint: str | os.PathLike):
    if config is None:
        return stored_experiment(checkpoint)
    return deepcopy(config) if isinstance(config, Config) else load_config(os.fspath(config))


def deciding(cfg: Config) -> dict:
    """Return the part of an experiment that can decide over results, as plain data.

    It is the same for a config file and for what a checkpoint of its training carries.
    """
    parts = {key: cfg[key] for key in DECIDING if cfg.get(key) is not None}
    values = flatten(Config(dict(parts, pipeline=photo_pipeline(cfg))).to_dict())
    return {key: value for key, value in values if not re.fullmatch(INITIAL_WEIGHTS, key)}
