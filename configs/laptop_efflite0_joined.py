# The shipped model: the contest's samples and garbage6 in turns; `make weights` trains it
_base_ = [
    './_base_/models/segformer_efflite0.py', './_base_/datasets/joined.py',
    './_base_/schedules/adamw_poly_4k.py', './_base_/default_runtime.py'
]
classes = './joined_classes.yaml'
model = dict(
    backbone=dict(frozen_stages=2),
    decode_head=dict(loss_decode=dict(_delete_=True, type='ComboLoss')))
max_iters = 530
optim_wrapper = dict(optimizer=dict(lr=4e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=50),
    dict(type='PolyLR', eta_min=0., power=1., by_epoch=False, begin=50, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=200))
