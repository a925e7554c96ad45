# Flip, change the colors, cut a grid of holes whose pixels are ignored
grid_dropout_augmentation = [
    dict(type='RandomFlip', prob=[0.25] * 3, direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='PhotoMetricTables'),
    dict(type='SeededAlbu', transforms=[
        dict(type='GridDropout', ratio=0.3, random_offset=True, fill_mask=255, p=0.5),
    ]),
]
