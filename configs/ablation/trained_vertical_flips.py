# The baseline's augmentation, which also flips upside down
_base_ = './trained.py'
train_dataloader = dict(dataset=dict(pipeline=[
    *_base_.load, *_base_.base_augmentation,
    dict(type='RandomFlip', prob=0.5, direction='vertical'), *_base_.pack]))
