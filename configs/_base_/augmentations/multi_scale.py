# The baseline's over a wider range of scales, from a quarter to four times
multi_scale_augmentation = [
    dict(type='RandomScaleCrop', ratio_range=(0.25, 4.0), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=[0.25] * 3, direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='PhotoMetricTables'),
]
