# Self-training of the head alone: both sets without augmentation, so that features are kept
_base_ = '../laptop_efflite0_trash_pseudo_joint.py'
model = dict(frozen_features=True)
optim_wrapper = dict(constructor='LearningParametersConstructor')
labeled_pipeline = [*_base_.load, *_base_.shrink, *_base_.pack]
pseudo_pipeline = [*_base_.load, *_base_.shrink, *_base_.pseudo_pack]
both = [
    dict(_base_.train_dataloader.dataset.datasets[0], pipeline=labeled_pipeline),
    dict(_base_.train_dataloader.dataset.datasets[1], pipeline=pseudo_pipeline),
]
train_dataloader = dict(dataset=dict(datasets=both))
