"""`predict` from files to files, against the model alone and the plain loops of its peers."""

import copy
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import ConfigDict
from mmseg.apis import inference_model
from mmseg.models import EncoderDecoder
from PIL import Image

from mmseg_custom.apis import OnnxSegmenter, TrashSegmenter
from mmseg_custom.apis.export import export_onnx
from mmseg_custom.coco import save_mask
from mmseg_custom.prediction.outputs import Outputs
from mmseg_custom.prediction.photo_sources import list_photos
from mmseg_custom.prediction.predict import predict_photos

from .random_models import segmenter_of
from .timing import Comparison, compare

ROOT = Path(__file__).resolve().parents[1]
PHOTOS, SIDE, BATCH = 16, 512, 4
MMSEG = "mmseg's inference_model, photo by photo, and a PNG"
SMP = "smp's model in a plain PyTorch loop, and a PNG"
# Small enough that more than the model is measured.
SMP_MODEL = dict(arch='fpn', encoder='mobilenet_v2')
Loop = Callable[[], None]


def run() -> Iterator[Comparison]:
    """Compare on 512-pixel photos; the masks of both are checked to be equal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = write_photos(folder / 'photos')
        trained = TrashSegmenter(ROOT / 'weights' / 'trash11', device='cpu')
        export_onnx(trained, folder / 'model.onnx')
        exported = OnnxSegmenter(folder / 'model.onnx')
        arrays = [source.read() for source in list_photos([folder / 'photos'])]
        batches = [arrays[start : start + BATCH] for start in range(0, PHOTOS, BATCH)]
        alone = 'the model alone, on decoded photos'
        peer = mmseg_loop(trained, photos, folder / 'mmseg')
        check(trained, peer, photos, folder / 'mmseg')
        cases = [
            ('model.onnx', exported, alone, lambda: list(map(exported.batch, batches)), 1.1),
            ('model.onnx', exported, MMSEG, peer, 1.0),
            ('weights/trash11', trained, alone, lambda: list(map(trained.batch, batches)), 1.1),
            ('weights/trash11', trained, MMSEG, peer, 1.0),
        ]
        if find_spec('segmentation_models_pytorch'):
            drawn = segmenter_of('unetplusplus_effb5_trash', folder, **SMP_MODEL)
            peer = smp_loop(drawn, photos, folder / 'smp')
            check(drawn, peer, photos, folder / 'smp')
            cases.append(('an smp model', drawn, SMP, peer, 1.0))
        else:
            print('no row against smp: segmentation_models_pytorch is not installed')
        for name, segmenter, other, work, goal in cases:
            ours = ours_of(segmenter, folder)
            title = f'predict {name} (decode, model, write)'
            yield compare(title, ours, other, work, PHOTOS, goal)


def ours_of(segmenter, folder: Path) -> Loop:
    """Return what the command does once its model is loaded."""
    sources = list_photos([folder / 'photos'])

    def predict() -> None:
        predict_photos(segmenter, sources, Outputs(Path(tempfile.mkdtemp(dir=folder))), BATCH)

    return predict


def check(segmenter: TrashSegmenter, peer: Loop, photos: Sequence[Path], folder: Path) -> None:
    """Run a peer once, and require that its masks are ours."""
    peer()
    for path in photos:
        found = np.asarray(Image.open(folder / f'{path.stem}.png'))
        assert (found == segmenter(path).mask).mean() > 0.999, path


def write_photos(folder: Path) -> list[Path]:
    """Write sample photos at 512 pixels."""
    folder.mkdir()
    found = sorted((ROOT / 'samples' / 'recycle_trash' / 'batch_01').glob('*.jpg'))[:PHOTOS]
    for path in found:
        cv2.imwrite(str(folder / path.name), cv2.resize(cv2.imread(str(path)), (SIDE, SIDE)))
    return [folder / path.name for path in found]


def mmseg_loop(trained: TrashSegmenter, photos: Sequence[Path], folder: Path) -> Loop:
    """Return mmseg's way from files to files, with its own segmentor and the same weights."""
    model = copy.copy(trained.model)
    # Ours finds labels faster.
    model.__class__ = EncoderDecoder
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


def smp_loop(drawn: TrashSegmenter, photos: Sequence[Path], folder: Path) -> Loop:
    """Return the loop of smp's examples over files, with the same model."""
    network = drawn.model.backbone.model
    numbers = drawn.model.data_preprocessor
    mean, std = numbers.mean.view(3, 1, 1), numbers.std.view(3, 1, 1)
    folder.mkdir()

    def predict() -> None:
        with torch.inference_mode():
            for path in photos:
                photo = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
                tensor = torch.from_numpy(photo).permute(2, 0, 1).float()
                logits = network(((tensor - mean) / std)[None])
                mask = logits.argmax(dim=1)[0].to(torch.uint8).numpy()
                save_mask(folder / f'{path.stem}.png', mask, drawn.classes)

    return predict
