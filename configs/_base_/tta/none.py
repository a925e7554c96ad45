# The photo alone
views = [[dict(type='RandomFlip', prob=0.)]]
