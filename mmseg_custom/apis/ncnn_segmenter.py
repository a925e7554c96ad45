"""A model of ncnn, which runs on phones, as a function of a photo."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmseg_custom.utils import UserError
from mmseg_custom.utils.extras import needing

from .exported_segmenter import ExportedSegmenter, cpu_threads

SUFFIX = '.ncnn.param'
FLIPS = {'horizontal': 1, 'vertical': 0}


class NcnnSegmenter(ExportedSegmenter):
    """Runs a ``.ncnn.param`` file with its ``.ncnn.bin`` and ``.ncnn.json`` beside it.

    ncnn has no integers of the sizes of photos: its file holds the network from the normalized,
    padded photo to logits of the same size, and resizing and softmax are done here, by the numbers
    in the JSON file. See :class:`~mmseg_custom.apis.exported_segmenter.ExportedSegmenter`.
    """

    @staticmethod
    def files(file: str | os.PathLike) -> list[Path]:
        """Return the graph, the weights, and what has to be done around them."""
        path = Path(file)
        stem = path.name.removesuffix(SUFFIX)
        return [path, *(path.with_name(f'{stem}.ncnn.{kind}') for kind in ('bin', 'json'))]

    def _open(self, file: Path) -> Mapping[str, str]:
        with needing('ncnn', 'ncnn'):
            import ncnn
        graph, weights, description = self.files(file)
        self._ncnn, self._net = ncnn, ncnn.Net()
        self._net.opt.num_threads = cpu_threads()
        # As PyTorch computes, on processors with bfloat16 and float16, too.
        for name in ('fp16_packed', 'fp16_storage', 'fp16_arithmetic', 'bf16_storage'):
            setattr(self._net.opt, f'use_{name}', False)
        loaded = not self._net.load_param(str(graph)) and not self._net.load_model(str(weights))
        if not loaded:
            raise UserError(
                f'{file}: is damaged or no model that ncnn {ncnn.__version__} can run; copy or '
                'export it again'
            )
        content = json.loads(description.read_text(encoding='utf-8'))
        self._around = content['around']
        return content['metadata']

    def _infer(self, photos: np.ndarray) -> np.ndarray:
        return np.stack([self._probabilities(photo.transpose(1, 2, 0)) for photo in photos])

    def _probabilities(self, photo: np.ndarray) -> np.ndarray:
        """Return ``(C, H, W)`` for ``(H, W, 3)``, the mean over the views."""
        found = [self._of_view(photo, steps) for steps in self._around['views']]
        return np.asarray(np.mean(found, axis=0, dtype=np.float32))

    def _of_view(self, photo: np.ndarray, steps: Sequence[Mapping[str, Any]]) -> np.ndarray:
        height, width = photo.shape[:2]
        for step in steps:
            photo = _applied(step, photo)
        logits = self._logits(photo).transpose(1, 2, 0)
        for step in steps:
            logits = _flipped(step, logits)
        logits = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR)
        logits = logits.reshape(height, width, -1).transpose(2, 0, 1)
        return _softmax(logits)

    def _logits(self, photo: np.ndarray) -> np.ndarray:
        """Return ``(C, h, w)`` for what the model sees, ``(h, w, 3)`` uint8 RGB."""
        around = self._around
        height, width = photo.shape[:2]
        x = photo[..., ::-1] if around['bgr'] else photo
        x = (x - np.float32(around['mean'])) / np.float32(around['std'])
        down, right = (_missing(side, around['divisor']) for side in (height, width))
        x = np.pad(
            x, ((0, down), (0, right), (0, 0)), constant_values=np.float32(around['pad_value'])
        )
        extractor = self._net.create_extractor()
        # ncnn does not copy it: it has to live until the end.
        channels_first = np.ascontiguousarray(x.transpose(2, 0, 1))
        extractor.input('in0', self._ncnn.Mat(channels_first))
        code, found = extractor.extract('out0')
        if code:
            raise RuntimeError(f'ncnn ends with code {code}')
        return np.array(found)[:, :height, :width]


def _applied(step: Mapping[str, Any], photo: np.ndarray) -> np.ndarray:
    """Do what a transform of the test pipeline does, as mmcv does it."""
    if step['type'] == 'RandomFlip':
        return _flipped(step, photo)
    height, width = photo.shape[:2]
    if step.get('scale') is None:
        factor = step['scale_factor']
        factors = [factor, factor] if isinstance(factor, int | float) else factor
        scale = [int(side * by + 0.5) for side, by in zip((width, height), factors, strict=True)]
    else:
        scale = step['scale'] if isinstance(step['scale'], list) else [step['scale']] * 2
    if step.get('keep_ratio'):
        longest, shortest = max(width, height), min(width, height)
        by = min(max(scale) / longest, min(scale) / shortest)
        scale = [int(side * by + 0.5) for side in (width, height)]
    return cv2.resize(photo, scale, interpolation=cv2.INTER_LINEAR)


def _flipped(step: Mapping[str, Any], x: np.ndarray) -> np.ndarray:
    """Flip ``(H, W, C)`` if the step does."""
    if step['type'] != 'RandomFlip' or not step['prob']:
        return x
    return np.flip(x, FLIPS[step.get('direction', 'horizontal')])


def _missing(side: int, divisor: int) -> int:
    return -side % divisor


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities of ``(C, H, W)``; two classes for a single logit."""
    if len(logits) == 1:
        logits = np.concatenate([np.zeros_like(logits), logits])
    weights = np.exp(logits - logits.max(axis=0))
    return weights / weights.sum(axis=0)
