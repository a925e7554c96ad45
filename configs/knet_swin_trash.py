_base_ = [
    './_base_/models/knet_swin_tiny.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_poly_40k.py', './_base_/default_runtime.py'
]
optim_wrapper = dict(optimizer=dict(weight_decay=0.0005), clip_grad=dict(max_norm=1.))
