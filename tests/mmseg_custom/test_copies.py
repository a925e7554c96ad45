"""No registered part and no public class of the package fails a copy, a pickle, a loop or a repr.

The exceptions: what threads share (``Batcher``, ``LivePicture``), and a progress bar.
"""

import argparse
import contextlib
import copy
import importlib
import inspect
import itertools
import pickle
import pkgutil

import numpy as np
import pytest
import torch
from conftest import coco
from mmengine._strategy import BaseStrategy
from mmseg.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
)
from narrow_zoo import narrow
from torch import nn
from tqdm import tqdm

import mmseg_custom.plugins  # noqa: F401
from mmseg_custom.datasets.shared_seg_dataset import SharedSegDataset

REGISTRIES = (
    DATA_SAMPLERS, DATASETS, HOOKS, METRICS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS,
    PARAM_SCHEDULERS, TRANSFORMS,
)  # fmt: skip
PARTS = {
    name: kind
    for registry in REGISTRIES
    for name, kind in registry.module_dict.items()
    if kind.__module__.startswith('mmseg_custom.')
}


def params():
    return [nn.Parameter(torch.ones(2))]


def scheduler(kind):
    return kind(torch.optim.SGD(params(), lr=1.0), T_0=4)


def two_stages(kind):
    optimizer = torch.optim.SGD([dict(params=params(), is_encoder=True)], lr=1.0)
    return kind(optimizer, T_up=2, T_up_encoder=2, by_epoch=False, end=9)


def segmentor(name):
    return lambda kind: MODELS.build(narrow(name).model)


def head(kind):
    return kind(num_classes=3, loss_decode=dict(type='WeightedCrossEntropyLoss', class_weight=None))


def mean_teacher(kind):
    return kind(segmentor=narrow('laptop_efflite0_trash').model)


def joined(dataset):
    return DATASETS.build(dict(type='ConcatDataset', datasets=[dataset, dataset]))


# What takes more than its name; each gets the class and, where it asks for one, a data set.
RECIPES = {
    'RectifiedAdam': lambda kind: kind(params()),
    'Lookahead': lambda kind: kind(params(), base='AdamW', lr=1.0),
    'CosineWarmupRestartLR': scheduler,
    'TwoStageWarmupPolyLR': two_stages,
    'LayerDecayOptimWrapperConstructor': lambda kind: kind(
        dict(optimizer=dict(type='AdamW', lr=1.0)), dict(layer_decay=0.5)
    ),
    'LearningParametersConstructor': lambda kind: kind(
        dict(optimizer=dict(type='AdamW', lr=1.0, weight_decay=0.1)), dict(norm_decay_mult=0)
    ),
    'SeededAlbu': lambda kind: kind([dict(type='HorizontalFlip')]),
    'LogitsHead': head,
    'BatchNormHead': lambda kind: kind(
        in_channels=8, channels=8, num_classes=3, loss_decode=dict(type='WeightedCrossEntropyLoss')
    ),
    'UNetPlusPlusHead': lambda kind: (
        MODELS.build(narrow('laptop_efflite0_unetplusplus_trash').model).decode_head
    ),
    'EfficientNetLite0': lambda kind: kind(pretrained=False),
    'EfficientNetLite1': lambda kind: kind(pretrained=False),
    'EfficientNetLite2': lambda kind: kind(pretrained=False),
    'PackagedMobileNetV2': lambda kind: kind(pretrained=False),
    'ResumableEarlyStoppingHook': lambda kind: kind(monitor='mIoU'),
    'TimmFeatures': lambda kind: kind('convnext_atto', pretrained=False),
    'SMPModel': lambda kind: kind('unet', 'resnet18', num_classes=3, pretrained=None),
    'HFModel': lambda kind: MODELS.build(
        dict(narrow('hf_segformer_b0_trash').model.backbone, num_classes=3)
    ),
    'TrashCascadeEncoderDecoder': segmentor('ocrnet_hr18_trash'),
    'HFQuerySegmentor': segmentor('eomt_dinov2_large_trash'),
    'TrashEncoderDecoder': segmentor('laptop_efflite0_trash'),
    'TrashTTAModel': lambda kind: kind(narrow('laptop_efflite0_trash').model),
    'MeanTeacherSegmentor': mean_teacher,
    'CompileBackboneHook': lambda kind: kind(),
    'NonFiniteOutputHook': lambda kind: kind(model='iter_2.pth'),
    'SafeCheckpointHook': lambda kind: kind(interval=1, save_best='mIoU', rule='greater'),
    'SeededInfiniteSampler': lambda kind, dataset: kind(dataset, seed=0),
    'RepeatFactorSampler': lambda kind, dataset: kind(dataset, threshold=0.1, seed=0),
    'MultiSourceSampler': lambda kind, dataset: kind(joined(dataset), [1, 1], seed=0),
}


@pytest.fixture
def dataset(small_set):
    square = [1, 1, 6, 1, 6, 6, 1, 6]
    images = [dict(id=i, file_name=f'{i}.png', height=8, width=8) for i in range(3)]
    annotations = [
        dict(id=i, image_id=i, category_id=7, segmentation=[square], area=25, iscrowd=0)
        for i in range(3)
    ]
    path = small_set(coco(images, annotations))
    pipeline = [dict(type='LoadTrashImage'), dict(type='LoadTrashAnnotations')]
    return lambda name: DATASETS.build(
        dict(type=name, ann_file=path.name, data_root=str(path.parent), pipeline=pipeline)
        | dict(max_bad_images=2)
    )


def build(name, dataset):
    kind = PARTS[name]
    if name in DATASETS.module_dict:
        return dataset(name)
    recipe = RECIPES.get(name)
    if recipe is None:
        if name.endswith('EncoderDecoder'):
            config = narrow('laptop_efflite0_trash').model
            return MODELS.build(dict(config, type=name))
        return kind()
    if len(inspect.signature(recipe).parameters) == 2:
        return recipe(kind, dataset('TrashCocoDataset'))
    return recipe(kind)


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


def same(one, other) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor | np.ndarray):
        return bool((torch.as_tensor(one) == torch.as_tensor(other)).all())
    return type(one) is type(other)


@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, through_pickle])
@pytest.mark.parametrize('name', sorted(PARTS))
def test_a_registered_part_can_be_copied_pickled_looped_over_and_printed(name, copied, dataset):
    part = build(name, dataset)
    twin = copied(part)
    assert type(twin) is type(part)
    assert repr(part)
    assert repr(twin)
    assert same(vars(part).keys(), vars(twin).keys())
    if isinstance(part, nn.Module):
        assert same(dict(part.state_dict()), dict(twin.state_dict()))
    if hasattr(type(part), '__iter__') or hasattr(type(part), '__getitem__'):
        is_endless = name in DATA_SAMPLERS.module_dict
        first = list(itertools.islice(part, 7 if is_endless else 0))
        later = copied(part)  # in the middle of a loop
        items = [list(itertools.islice(one, 50)) for one in (part, later)]
        assert len(items[0]) == (50 if is_endless else len(part))
        assert same(*items)
        assert not is_endless or list(itertools.islice(twin, 57)) == first + items[0]


def public_classes():
    """Every class without arguments, or with defaults for all, that a module of ours defines."""
    for module in pkgutil.walk_packages(mmseg_custom.__path__, 'mmseg_custom.'):
        if module.name.endswith('__main__'):
            continue
        with contextlib.suppress(ImportError):
            for name, kind in vars(importlib.import_module(module.name)).items():
                if inspect.isclass(kind) and kind.__module__ == module.name and name[0] != '_':
                    yield kind


# Python's parsers, tqdm's bars and MMEngine's strategies (they hold a logger) cannot be pickled.
THREADED = ('Batcher', 'LivePicture')
UNCOPIED = (tqdm, argparse.ArgumentParser, BaseStrategy, SharedSegDataset)


def without_arguments(kind) -> bool:
    try:
        signature = inspect.signature(kind)
        signature.bind()
    except (TypeError, ValueError):
        return False
    # One that passes its arguments on needs some.
    if any(one.kind == one.VAR_POSITIONAL for one in signature.parameters.values()):
        return False
    return not inspect.isabstract(kind) and not getattr(kind, '_is_protocol', False)


@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, through_pickle])
def test_public_classes_that_need_no_arguments(copied):
    tried = []
    for kind in public_classes():
        if kind.__name__ in THREADED or issubclass(kind, UNCOPIED) or kind.__name__ in PARTS:
            continue
        if not without_arguments(kind):
            continue
        one = kind()
        twin = copied(one)
        assert type(twin) is kind
        assert repr(one)
        assert repr(twin)
        tried.append(kind.__name__)
    assert 'SharedCount' in tried
