"""`predict` from files to files, against the model alone and mmseg's own loop."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import ConfigDict
from mmseg.apis import inference_model
from PIL import Image

from mmseg_custom.apis import OnnxSegmenter, TrashSegmenter
from mmseg_custom.apis.export import export_onnx
from mmseg_custom.coco import save_mask
from mmseg_custom.prediction.outputs import Outputs
from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.prediction.predict import predict_photos

from .timing import Comparison, compare

ROOT = Path(__file__).resolve().parents[1]
PHOTOS, SIDE, BATCH = 16, 512, 4


def run() -> Iterator[Comparison]:
    """Compare on 512-pixel photos; the masks of both are checked to be equal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = write_photos(folder / 'photos')
        trained = TrashSegmenter(ROOT / 'weights' / 'trash11', device='cpu')
        export_onnx(trained, folder / 'model.onnx')
        exported = OnnxSegmenter(folder / 'model.onnx')
        sources = list_photos([folder / 'photos'])
        arrays = [source.read() for source in sources]
        batches = [arrays[start : start + BATCH] for start in range(0, PHOTOS, BATCH)]
        peer = plain_loop(trained, photos, folder / 'peer')

        def predict(segmenter) -> None:
            outputs = Outputs(Path(tempfile.mkdtemp(dir=folder)))
            predict_photos(segmenter, sources, outputs, BATCH)

        peer()
        for path in photos:
            found = np.asarray(Image.open(folder / 'peer' / f'{path.stem}.png'))
            assert (found == trained(path).mask).mean() > 0.999, path
        loop = "mmseg's inference_model, photo by photo, and a PNG"
        alone = 'the model alone, on decoded photos'
        for name, segmenter, other, work, goal in (
            ('model.onnx', exported, alone, lambda: list(map(exported.batch, batches)), 1.1),
            ('model.onnx', exported, loop, peer, 1.0),
            ('weights/trash11', trained, loop, peer, 1.0),
        ):
            ours = partial(predict, segmenter)
            title = f'predict {name} (decode, model, write)'
            yield compare(title, ours, other, work, PHOTOS, goal)


def write_photos(folder: Path) -> list[Path]:
    """Write sample photos at 512 pixels."""
    folder.mkdir()
    found = sorted((ROOT / 'samples' / 'recycle_trash' / 'batch_01').glob('*.jpg'))[:PHOTOS]
    for path in found:
        cv2.imwrite(str(folder / path.name), cv2.resize(cv2.imread(str(path)), (SIDE, SIDE)))
    return [folder / path.name for path in found]


def plain_loop(trained: TrashSegmenter, photos: list[Path], folder: Path):
    """Return mmseg's way from files to files, with the same model."""
    model = trained.model
    folder.mkdir()
    pipeline = [dict(type='LoadImageFromFile'), *trained.pipeline[1:]]
    model.cfg = ConfigDict(test_pipeline=pipeline, test_dataloader=None)

    def predict() -> None:
        with torch.no_grad():
            for path in photos:
                found = inference_model(model, str(path)).pred_sem_seg.data[0]
                mask = found.numpy().astype(np.uint8)
                save_mask(folder / f'{path.stem}.png', mask, trained.classes)

    return predict
