_base_ = [
    './_base_/models/eomt_dinov2_base.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_poly_40k.py', './_base_/default_runtime.py'
]
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05), clip_grad=dict(max_norm=0.01))
