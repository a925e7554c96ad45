# The laptop's self-training round from the beginning: labeled and pseudo-labeled photos together
_base_ = ['./laptop_efflite0_trash.py', './_base_/datasets/pseudo.py']
model = dict(type='PseudoEncoderDecoder', pseudo_weight=0.5)
pseudo_pipeline = [*_base_.load, *_base_.shrink, *_base_.base_augmentation, *_base_.pseudo_pack]
both = [
    _base_.train_dataloader.dataset,
    dict(_base_.pseudo_photos, pipeline=pseudo_pipeline),
]
train_dataloader = dict(
    sampler=_base_.half_pseudo,
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=both))
