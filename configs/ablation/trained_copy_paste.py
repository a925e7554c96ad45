# Objects of other photos are pasted into half of the photos
_base_ = './trained.py'
photos = _base_.train_dataloader.dataset
photos.pipeline = _base_.load
train_dataloader = dict(dataset=dict(
    _delete_=True, type='MultiImageMixDataset', dataset=photos,
    pipeline=[dict(type='CopyPaste'), *_base_.base_augmentation, *_base_.pack]))
