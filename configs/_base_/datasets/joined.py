# The contest's sample photos and garbage6's, in turns; `make weights` splits garbage6
_base_ = './trash_coco_half.py'
data_root = 'samples/recycle_trash/'
load = [dict(type='LoadTrashImage', keep=400), dict(type='LoadTrashAnnotations')]
view = [dict(type='Resize', scale=(320, 320), keep_ratio=True)]
augmentation = [
    dict(type='RandomScaleCrop', ratio_range=(0.5, 2.0), cat_max_ratio=0.9, size=(288, 288)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricTables'),
]
# Objects of a source are pasted into its own photos: those of garbage6 fill most of theirs
contest = dict(
    type='MultiImageMixDataset',
    dataset=dict(
        type='TrashCocoDataset', data_root=data_root, ann_file='train.json', pipeline=load),
    pipeline=[dict(type='CopyPaste', prob=0.4), *view, *augmentation, *_base_.pack])
garbage6 = dict(
    type='MultiImageMixDataset',
    dataset=dict(
        type='TrashCocoDataset', data_root='data/garbage6_folds/', ann_file='kfold_0_train.json',
        pipeline=load),
    pipeline=[
        dict(type='CopyPaste', scale_range=(0.3, 1.0)), *view, *augmentation,
        *_base_.pack])
train_dataloader = dict(
    num_workers=1,
    sampler=dict(_delete_=True, type='MultiSourceSampler', source_ratio=[5, 3]),
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=[contest, garbage6]))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root, pipeline=[_base_.load[0], *view, _base_.load[1], *_base_.pack]))
test_dataloader = val_dataloader
