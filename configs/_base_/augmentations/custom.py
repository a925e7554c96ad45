# The contest team's: flips, shift and scale, perspective, gray, brightness or gamma
custom_augmentation = [
    dict(type='RandomFlip', prob=[0.25, 0.25], direction=['horizontal', 'vertical']),
    dict(type='SeededAlbu', transforms=[
        dict(type='Affine', scale=(0.8, 1.2), translate_percent=(-0.1, 0.1), fill_mask=255, p=0.5),
        dict(type='Perspective', fill_mask=255, p=0.5),
        dict(type='ToGray', p=0.1),
        dict(type='OneOf', p=0.5, transforms=[
            dict(type='RandomBrightnessContrast', contrast_limit=0),
            dict(type='RandomGamma'),
        ]),
    ]),
]
