"""The training pipeline with copy-paste, against mmseg's own without."""

import copy
import tempfile
from pathlib import Path

import numpy as np
from mmcv.transforms import Compose
from mmseg.datasets import MultiImageMixDataset
from mmseg.registry import DATASETS

from mmseg_custom.classes import built_in
from mmseg_custom.coco import save_mask
from mmseg_custom.experiment.config import load_config
from mmseg_custom.transforms import LoadTrashAnnotations

from .photos import load_photos
from .timing import Comparison, compare

CONFIG = Path(__file__).resolve().parents[1] / 'configs' / 'upernet_swin_trash.py'
SIZE = (512, 512)


def run() -> Comparison:
    """Compare from the photo's file to the packed sample.

    Ours paints the mask from the JSON and pastes objects of a second photo, loaded and painted as
    well, into half of the photos; it shall still take at most 0.8 times as long as the peer. The
    peer is the pipeline of mmseg's own configs: it reads ready masks from PNG files, which were
    made beforehand and for which nothing is counted, and pastes nothing. Scales, crops, flips and
    colors have the same options and are drawn from the same seed.
    """
    dataset, what = load_photos()
    ours = _ours(dataset)
    with tempfile.TemporaryDirectory() as folder:
        infos = [_stock_info(dataset, index, Path(folder)) for index in range(len(dataset))]
        stock = Compose(_stock_transforms())

        def work(make) -> None:
            np.random.seed(0)
            for index in range(len(dataset)):
                make(index)

        return compare(
            f'training pipeline with copy-paste ({what})',
            lambda: work(ours.__getitem__),
            "mmseg's pipeline without copy-paste, masks from PNG",
            lambda: work(lambda index: stock(copy.deepcopy(infos[index]))),
            len(dataset),
            goal=0.8,
        )


def _ours(dataset) -> MultiImageMixDataset:
    """Build what configs/ablation/copy_paste.py trains on, for photos at their own size."""
    cfg = load_config(str(CONFIG))
    photos = cfg.train_dataloader.dataset
    photos.update(data_root=dataset.data_root, ann_file=dataset.ann_file, pipeline=cfg.load)
    pipeline = [dict(type='CopyPaste'), *cfg.base_augmentation, *cfg.pack]
    return DATASETS.build(dict(type='MultiImageMixDataset', dataset=photos, pipeline=pipeline))


def _stock_info(dataset, index: int, folder: Path) -> dict:
    info = dataset.get_data_info(index)
    path = folder / f'{index}.png'
    save_mask(path, LoadTrashAnnotations()(info)['gt_seg_map'], built_in())
    keys = dict(reduce_zero_label=False, label_map=None, seg_fields=[])
    return dict(img_path=info['img_path'], seg_map_path=str(path), **keys)


def _stock_transforms() -> list[dict]:
    return [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='RandomResize', scale=SIZE, ratio_range=(0.5, 2.0), keep_ratio=True),
        dict(type='RandomCrop', crop_size=SIZE, cat_max_ratio=0.75),
        dict(type='RandomFlip', prob=[0.25] * 3, direction=['horizontal', 'vertical', 'diagonal']),
        dict(type='PhotoMetricDistortion'),
        dict(type='PackSegInputs'),
    ]
