# `make demo`: the shipped model learns a little more of the sample photos alone
_base_ = './laptop_efflite0_joined.py'
load_from = 'weights/trash11'
# Statistics of these few photos alone would fit no others
model = dict(backbone=dict(pretrained=False, norm_eval=True))
max_iters = 40
train_dataloader = dict(
    sampler=dict(_delete_=True, type='SeededInfiniteSampler'),
    dataset=dict(_delete_=True, **_base_.contest))
optim_wrapper = dict(optimizer=dict(lr=5e-5))
param_scheduler = [
    dict(type='PolyLR', eta_min=0., power=1., by_epoch=False, begin=0, end=max_iters)]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters))
