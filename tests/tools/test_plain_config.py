"""A config as MMSegmentation's users write it, without our names, goes through all tools."""

import json
import shutil

import cv2
import numpy as np
import pytest
from conftest import outcome_of
from processes import run_to_end

CONFIG = """
norm_cfg = dict(type='BN', requires_grad=True)
crop_size = (32, 32)
data_preprocessor = dict(
    type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True, pad_val=0, seg_pad_val=255, size=crop_size)
model = dict(
    type='EncoderDecoder', data_preprocessor=data_preprocessor, pretrained=None,
    backbone=dict(
        type='ResNetV1c', depth=18, stem_channels=8, base_channels=8, norm_cfg=norm_cfg),
    decode_head=dict(
        type='FCNHead', in_channels=64, in_index=3, channels=8, num_convs=1, num_classes=3,
        norm_cfg=norm_cfg, align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)),
    train_cfg=dict(), test_cfg=dict(mode='whole'))
dataset_type = 'BaseSegDataset'
data_root = {root!r}
metainfo = dict(classes=('floor', 'box', 'can'), palette=[[0, 0, 0], [200, 0, 0], [0, 0, 200]])
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(64, 64), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs')]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(64, 64), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type, data_root=data_root, metainfo=metainfo, img_suffix='.png',
        data_prefix=dict(img_path='img/train', seg_map_path='ann/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type, data_root=data_root, metainfo=metainfo, img_suffix='.png',
        data_prefix=dict(img_path='img/val', seg_map_path='ann/val'), pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
optimizer = dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0005)
optim_wrapper = dict(type='OptimWrapper', optimizer=optimizer, clip_grad=None)
param_scheduler = [
    dict(type='PolyLR', eta_min=1e-4, power=0.9, begin=0, end=4, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'), logger=dict(type='LoggerHook', interval=1),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2),
    sampler_seed=dict(type='DistSamplerSeedHook'))
default_scope = 'mmseg'
env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
"""


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """Photos, label images in MMSegmentation's layout, and the trained model."""
    folder = tmp_path_factory.mktemp('plain')
    rng = np.random.default_rng(0)
    for part, count in (('train', 4), ('val', 2)):
        for kind in ('img', 'ann'):
            (folder / kind / part).mkdir(parents=True)
        for number in range(count):
            labels = np.zeros((48, 64), np.uint8)
            labels[8:30, 10:40] = 1 + number % 2
            photo = rng.integers(0, 90, (48, 64, 3), np.uint8) + 80 * labels[..., None]
            cv2.imwrite(str(folder / 'img' / part / f'{number}.png'), photo)
            cv2.imwrite(str(folder / 'ann' / part / f'{number}.png'), labels)
    config = folder / 'fcn_r18.py'
    config.write_text(CONFIG.format(root=str(folder)))
    arguments = [config, '--work-dir', folder / 'run', '--augmentation', 'multi_scale', '--seed', 0]
    run_to_end('tools/train.py', *arguments, '--option', 'ema')
    return folder


@pytest.mark.parametrize('model', [['fcn_r18.py', 'run/iter_4.pth'], ['run/iter_4.pth']])
def test_all_tools_take_it(world, tmp_path, model):
    model = [world / name for name in model]
    photos = world / 'img' / 'val'
    for tool, *arguments in (
        ['test', *model, '--out', tmp_path / 'test', '--tta', 'flip', '--overlays'],
        ['predict', *model, photos, '--out', tmp_path / 'masks', '--tta', 'multi_scale'],
        [
            'make_pseudo',
            *model,
            world / 'img' / 'train',
            '--out',
            tmp_path / 'pseudo',
            '--tta',
            'flip',
        ],
        ['ensemble', 'predict', photos, '--model', *model, '--out', tmp_path / 'voted'],
        ['report', world / 'run', '--out', tmp_path / 'report.html'],
    ):
        code, text = outcome_of(f'tools/{tool}.py', *arguments)
        assert code == 0, text
    # Its test pipeline resizes photos, which the exported model does itself.
    code, text = outcome_of('tools/export.py', *model, '--out', tmp_path / 'a.onnx')
    assert code == 0, text
    assert (tmp_path / 'a.onnx').is_file()
    for folder in ('masks', 'voted'):
        assert len(list((tmp_path / folder / 'masks').rglob('*.png'))) == 2
    metrics = json.loads((tmp_path / 'test' / 'metrics.json').read_text())['metrics']
    assert 0 <= metrics['mIoU'] <= 100


def test_it_is_resumed_and_trained_for_longer(world, tmp_path):
    run = shutil.copytree(world / 'run', tmp_path / 'run')
    arguments = [
        world / 'fcn_r18.py',
        '--work-dir',
        run,
        '--augmentation',
        'multi_scale',
        '--seed',
        0,
    ]
    arguments += ['--option', 'ema', '--resume']
    said = run_to_end('tools/train.py', *arguments, '--cfg-options', 'train_cfg.max_iters=6').stdout
    assert 'the schedule is rebuilt for 6 iterations' in said
    assert (run / 'iter_6.pth').is_file()
