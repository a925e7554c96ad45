# The recycle-trash contest's files, read as they are
_base_ = '../augmentations/base.py'
data_root = 'data/recycle_trash/'
load = [
    dict(type='LoadTrashImage'),
    dict(type='LoadTrashAnnotations'),
]
pack = [dict(type='PackSegInputs')]
train_pipeline = [*load, *_base_.base_augmentation, *pack]
# For MMSegmentation's own inference_model: a photo without labels
test_pipeline = [load[0], *pack]
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='SeededInfiniteSampler'),
    dataset=dict(
        type='TrashCocoDataset',
        data_root=data_root,
        ann_file='train.json',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='TrashCocoDataset',
        data_root=data_root,
        ann_file='val.json',
        test_mode=True,
        pipeline=[*load, *pack]))
# The contest's test.json has no annotations: tools/test.py --test-json predicts it
test_dataloader = val_dataloader
val_evaluator = dict(type='TrashIoUMetric')
test_evaluator = val_evaluator
