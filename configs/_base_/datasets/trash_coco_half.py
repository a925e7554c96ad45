# Photos at half their size, four times as fast; predictions are measured at the photos' own
_base_ = './trash_coco.py'
shrink = [dict(type='Resize', scale=(256, 256), keep_ratio=True)]
train_pipeline = [*_base_.load, *shrink, *_base_.base_augmentation, *_base_.pack]
test_pipeline = [_base_.load[0], *shrink, *_base_.pack]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(pipeline=[_base_.load[0], *shrink, _base_.load[1], *_base_.pack]))
test_dataloader = val_dataloader
