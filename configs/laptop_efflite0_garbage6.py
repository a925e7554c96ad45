# The second shipped model, of garbage6's own six classes: the network ends at stride 16
_base_ = [
    './_base_/models/segformer_efflite0.py', './_base_/datasets/garbage6.py',
    './_base_/schedules/adamw_poly_4k.py', './_base_/default_runtime.py'
]
classes = './garbage6_classes.yaml'
model = dict(
    backbone=dict(levels=3),
    decode_head=dict(
        in_channels=[24, 40, 112], in_index=[0, 1, 2], channels=64,
        loss_decode=dict(_delete_=True, type='ComboLoss')))
max_iters = 3000
param_scheduler = [
    _base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_iters)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=400))
