_base_ = [
    './_base_/models/upernet_swin_tiny.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_poly_40k.py', './_base_/default_runtime.py'
]
