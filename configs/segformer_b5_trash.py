_base_ = [
    './_base_/models/segformer_b5.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_poly_40k.py', './_base_/default_runtime.py'
]
# The head, which is new, learns ten times as fast
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=10.)}))
