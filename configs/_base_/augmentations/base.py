# The baseline's, and flips upside down (trash has no up): scale and crop, flip, change the colors
base_augmentation = [
    dict(type='RandomScaleCrop', ratio_range=(0.5, 2.0), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=[0.25] * 3, direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='PhotoMetricTables'),
]
