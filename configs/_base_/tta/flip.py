# The photo and its mirror image
views = [[dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)]]
