"""Making pseudo labels with a CRF, against the plain loop, on two cores."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from mmseg.apis import inference_model, init_model

from mmseg_custom.apis import TrashSegmenter
from mmseg_custom.classes import built_in
from mmseg_custom.coco import save_mask
from mmseg_custom.coco.photos import read_photo
from mmseg_custom.experiment.tta import photo_pipeline
from mmseg_custom.postprocess import DenseCrf
from mmseg_custom.prediction.photo_sources import folder_of, list_photos
from mmseg_custom.prediction.predict import predict_photos
from mmseg_custom.pseudo import ConfidenceFiles, PseudoOptions, write_pseudo_set

from .photos import load_photos
from .probabilities import chosen_model
from .timing import Comparison, compare

PHOTOS, CORES = 32, 2
THRESHOLD = 0.5


def run() -> Comparison:
    """Compare the way from files of photos to files of labels."""
    dataset, what = load_photos()
    config, checkpoint, model_is = chosen_model()
    folder = dataset.data_root
    photos = list_photos([folder])[:PHOTOS]
    out = Path(tempfile.mkdtemp())
    crf, original = DenseCrf(), DenseCrf(backend='pydensecrf')
    segmenter = TrashSegmenter(config, checkpoint, 'cpu')
    peer = init_model(config, checkpoint, 'cpu')
    steps = photo_pipeline(peer.cfg)[1:]
    peer.cfg.test_pipeline = [dict(type='LoadImageFromFile'), *steps]

    def ours() -> None:
        shutil.rmtree(out, ignore_errors=True)
        files = ConfidenceFiles(out / 'confidence', crf)
        predict_photos(segmenter, photos, files)
        options = PseudoOptions((str(THRESHOLD),))
        write_pseudo_set(photos, files, options, built_in(), folder_of(folder), out, {})

    def plain() -> None:
        for photo in photos:
            logits = inference_model(peer, str(photo.path)).seg_logits.data
            probabilities = logits.softmax(dim=0).numpy()
            pixels = np.ascontiguousarray(read_photo(photo.path)[..., ::-1])
            refined = original(pixels, probabilities)
            labels = refined.argmax(axis=0)
            sure = np.take_along_axis(probabilities, labels[None], axis=0)[0] >= THRESHOLD
            save_mask(
                out / f'{photo.name}.png', np.where(sure, labels, 255).astype(np.uint8), built_in()
            )

    threads = torch.get_num_threads()
    torch.set_num_threads(CORES)
    try:
        return compare(
            f'pseudo labels with a CRF on {CORES} cores ({what}, {model_is})',
            ours,
            "mmseg's inference_model, pydensecrf and PNG, photo by photo",
            plain,
            len(photos),
            goal=1 / 3,
            rounds=3,
        )
    finally:
        torch.set_num_threads(threads)
