# Self-training from the beginning: labeled photos and pseudo-labeled ones together
_base_ = ['./upernet_swin_trash.py', './_base_/datasets/pseudo.py']
model = dict(type='PseudoEncoderDecoder', pseudo_weight=0.5)
pseudo_pipeline = [*_base_.load, *_base_.base_augmentation, *_base_.pseudo_pack]
both = [
    _base_.train_dataloader.dataset,
    dict(_base_.pseudo_photos, pipeline=pseudo_pipeline),
]
train_dataloader = dict(
    sampler=_base_.half_pseudo,
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=both))
