# The baseline, and beside it what a mean teacher is sure of in photos without labels
_base_ = ['./upernet_swin_trash.py', './_base_/datasets/unlabelled.py']
model = dict(_delete_=True, type='MeanTeacherSegmentor', segmentor=_base_.model)
unlabelled_pipeline = [*_base_.load, *_base_.unlabelled_augmentation, *_base_.unlabelled_pack]
both = [
    _base_.train_dataloader.dataset,
    dict(_base_.unlabelled_photos, pipeline=unlabelled_pipeline),
]
auto_scale_lr = dict(base_batch_size=16)
train_dataloader = dict(
    batch_size=16,
    sampler=_base_.half_unlabelled,
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=both))
custom_hooks = [*_base_.custom_hooks, dict(type='ExportTeacherHook')]
