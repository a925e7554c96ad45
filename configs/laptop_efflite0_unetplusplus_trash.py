_base_ = [
    './_base_/models/unetplusplus_efflite0.py', './_base_/datasets/trash_coco_half.py',
    './_base_/schedules/adamw_poly_4k.py', './_base_/default_runtime.py'
]
default_hooks = dict(checkpoint=dict(interval=400))
