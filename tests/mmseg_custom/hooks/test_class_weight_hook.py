from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import coco
from mmseg.registry import DATASETS, MODELS
from torch import nn

from mmseg_custom.coco.stats.class_weights import class_weights
from mmseg_custom.datasets.class_lists import pixel_rows
from mmseg_custom.hooks import ClassWeightHook
from mmseg_custom.utils import UserError


@pytest.fixture
def dataset(small_set):
    images = [dict(id=i, file_name=f'{i}.png', height=10, width=20) for i in range(3)]

    def entry(number, image, category, width):
        polygon = [0, 0, width, 0, width, 10, 0, 10]
        return dict(id=number, image_id=image, category_id=category, segmentation=[polygon])

    path = small_set(coco(images, [entry(0, 0, 7, 12), entry(1, 0, 8, 4), entry(2, 1, 9, 20)]))
    return DATASETS.build(
        dict(type='TrashCocoDataset', ann_file=path.name, data_root=str(path.parent))
    )


def run_hook(dataset, *losses):
    said = []
    runner = SimpleNamespace(
        model=nn.ModuleList([nn.ModuleDict(dict(head=loss)) for loss in losses]),
        train_dataloader=SimpleNamespace(dataset=dataset),
        logger=SimpleNamespace(info=said.append),
    )
    ClassWeightHook().before_train(runner)
    return said


def build(**options):
    return MODELS.build(dict(type='WeightedCrossEntropyLoss', **options))


def test_weights_follow_from_the_painted_pixels(dataset):
    # By hand: photo 0 is 8 columns General trash (4 under Paper), 4 Paper, 8 Background.
    rows = np.zeros((3, 11), int)
    rows[0, :3] = 80, 80, 40
    rows[1, 8] = 200
    rows[2, 0] = 200
    assert np.array_equal(pixel_rows(dataset), rows)
    first, second = build(), build(weight_method='enet', max_weight=1.5)
    said = run_hook(dataset, first, second)
    expected = class_weights(rows, 'median', max_weight=5.0)
    assert first.class_weight.tolist() == pytest.approx(expected.tolist())
    expected = class_weights(rows, 'enet', max_weight=1.5)
    assert second.class_weight.tolist() == pytest.approx(expected.tolist())
    assert len(said) == 1
    assert 'class weights (median): Background' in said[0]
    # Averages of models (EMA, SWA) are copied before and pair their buffers by place.
    assert not list(first.buffers())


def test_wrapped_sets_are_counted_through(dataset):
    wrapped = dict(type='RepeatDataset', times=2, dataset=dataset)
    joined = dict(type='ConcatDataset', datasets=[wrapped, dataset])
    assert np.array_equal(pixel_rows(DATASETS.build(joined)), np.tile(pixel_rows(dataset), (3, 1)))


def test_other_losses_are_left_alone_and_nothing_is_counted():
    fixed = build(class_weight=[1.0] * 11)
    assert run_hook(None, fixed, MODELS.build(dict(type='CrossEntropyLoss'))) == []
    assert fixed.class_weight.tolist() == [1.0] * 11


def test_a_loss_of_mmseg_that_would_fail_is_refused_before_the_first_iteration():
    weights = dict(type='CrossEntropyLoss', class_weight=[1.0] * 3)
    fails = MODELS.build(dict(weights, avg_non_ignore=True))
    with pytest.raises(IndexError):  # once it does not, this can go
        fails(torch.zeros(1, 3, 2, 2), torch.zeros(1, 2, 2, dtype=torch.long))
    with pytest.raises(UserError, match="use type='WeightedCrossEntropyLoss' with the same"):
        run_hook(None, fails)
    assert run_hook(None, MODELS.build(dict(weights, avg_non_ignore=False))) == []


def test_a_set_without_labels_is_told():
    class Unlabelled:
        metainfo = dict(classes=('a', 'b'))

        def __len__(self):
            return 1

        def get_data_info(self, idx):
            return dict(img_path='x.jpg', height=4, width=4)

    with pytest.raises(UserError, match='x.jpg has no labels'):
        run_hook(Unlabelled(), build())
