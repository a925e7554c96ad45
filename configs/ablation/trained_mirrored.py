# Photos are mirrored, and not turned upside down
_base_ = './trained.py'
mirrored = [
    _base_.base_augmentation[0], dict(type='RandomFlip', prob=0.5), _base_.base_augmentation[2]]
train_dataloader = dict(dataset=dict(pipeline=[*_base_.load, *mirrored, *_base_.pack]))
