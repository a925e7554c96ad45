# The baseline's: scale and crop, flip, change the colors
base_augmentation = [
    dict(type='RandomScaleCrop', ratio_range=(0.5, 2.0), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricTables'),
]
