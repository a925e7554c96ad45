# For many short trainings on one core: the laptop model with a narrow head, on photos as they are
_base_ = [
    '../_base_/models/segformer_efflite0.py', '../_base_/datasets/trash_coco.py',
    '../_base_/schedules/adamw_poly_4k.py', '../_base_/default_runtime.py'
]
model = dict(decode_head=dict(channels=32))
max_iters = 1000
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=_base_.warmup_iters),
    dict(type='PolyLR', eta_min=0., power=1., by_epoch=False, begin=_base_.warmup_iters,
         end=max_iters),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
train_dataloader = dict(num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
# What is printed between the beginning and the end of so short a training takes longer than it
default_hooks = dict(runtime_info=None, logger=None, checkpoint=dict(interval=max_iters))
# Trying convolutions takes longer than such a training
env_cfg = dict(cudnn_benchmark=False)
