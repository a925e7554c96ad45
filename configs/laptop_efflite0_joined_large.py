# After laptop_efflite0_joined.py: larger crops, and as many photos of the street as of garbage6
_base_ = './laptop_efflite0_joined.py'
load_from = 'work_dirs/weights/iter_580.pth'
model = dict(backbone=dict(pretrained=False))
large = [dict(type='Resize', scale=(320, 320), keep_ratio=True)]
cropping = dict(type='RandomScaleCrop', ratio_range=(0.5, 2.0), cat_max_ratio=0.9, size=(288, 288))
contest = dict(pipeline=[
    _base_.contest.pipeline[0], *large, cropping, *_base_.augmentation[1:], *_base_.pack])
garbage6 = dict(pipeline=[
    _base_.garbage6.pipeline[0], *large, cropping, *_base_.augmentation[1:], *_base_.pack])
train_dataloader = dict(
    sampler=dict(source_ratio=[4, 4]),
    dataset=dict(datasets=[
        dict(_base_.contest, **contest), dict(_base_.garbage6, **garbage6)]))
max_iters = 200
optim_wrapper = dict(optimizer=dict(lr=2e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=20),
    dict(type='PolyLR', eta_min=0., power=1., by_epoch=False, begin=20, end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
