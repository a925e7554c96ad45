# Smaller and larger views of the photo, and the mirror images of all
_base_ = './flip.py'
views = [
    [dict(type='Resize', scale_factor=r, keep_ratio=True) for r in (0.75, 1.0, 1.25)],
    *_base_.views]
