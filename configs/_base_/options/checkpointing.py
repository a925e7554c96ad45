# Activations of each block are computed again on the way back, not kept
model = dict(backbone=dict(with_cp=True))
