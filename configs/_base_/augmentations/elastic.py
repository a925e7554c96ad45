# Flip, stretch like rubber, change the colors
elastic_augmentation = [
    dict(type='RandomFlip', prob=[0.25] * 3, direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='SeededAlbu', transforms=[
        dict(type='ElasticTransform', alpha=120, sigma=12, fill_mask=255, p=0.5),
    ]),
    dict(type='PhotoMetricTables'),
]
