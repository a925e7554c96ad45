_base_ = [
    './_base_/models/dinov2_linear.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_poly_40k.py', './_base_/default_runtime.py'
]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
