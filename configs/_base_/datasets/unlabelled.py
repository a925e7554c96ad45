# The contest's photos without labels, changed lightly: the view that a teacher labels.
# In a batch there are as many of them as labeled ones
unlabelled_photos = dict(
    type='UnlabelledPhotos', data_root='data/recycle_trash/', ann_file='test.json')
unlabelled_augmentation = [
    dict(type='RandomScaleCrop', ratio_range=(0.5, 2.0), cat_max_ratio=1.),
    dict(type='RandomFlip', prob=[0.25] * 3, direction=['horizontal', 'vertical', 'diagonal']),
]
unlabelled_pack = [dict(type='PackSegInputs', meta_keys=('img_path', 'img_shape', 'labelled'))]
half_unlabelled = dict(_delete_=True, type='MultiSourceSampler', source_ratio=[1, 1])
