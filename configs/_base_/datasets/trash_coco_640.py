# Photos enlarged to 640 pixels; predictions are measured at the photos' own size
_base_ = './trash_coco.py'
enlarge = [dict(type='Resize', scale=(640, 640), keep_ratio=True)]
train_pipeline = [*_base_.load, *enlarge, *_base_.base_augmentation, *_base_.pack]
test_pipeline = [_base_.load[0], *enlarge, *_base_.pack]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(pipeline=[_base_.load[0], *enlarge, _base_.load[1], *_base_.pack]))
test_dataloader = val_dataloader
