# garbage-segmentation v2, which `make weights` splits; photos are scaled to 320 pixels
_base_ = './trash_coco_half.py'
data_root = 'data/garbage6_folds/'
load = [dict(type='LoadTrashImage', keep=400), dict(type='LoadTrashAnnotations')]
view = [dict(type='Resize', scale=(320, 320), keep_ratio=True)]
train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        _delete_=True,
        type='MultiImageMixDataset',
        dataset=dict(
            type='TrashCocoDataset', data_root=data_root, ann_file='kfold_0_train.json',
            pipeline=load),
        pipeline=[
            dict(type='CopyPaste', scale_range=(0.3, 1.0)),
            *view,
            dict(
                type='RandomScaleCrop', ratio_range=(0.5, 2.0), cat_max_ratio=0.9,
                size=(256, 256)),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricTables'),
            *_base_.pack]))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root, ann_file='kfold_0_val.json',
        pipeline=[load[0], *view, load[1], *_base_.pack]))
test_dataloader = val_dataloader
