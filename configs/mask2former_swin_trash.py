_base_ = [
    './_base_/models/mask2former_swin_tiny.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_mask2former_40k.py', './_base_/default_runtime.py'
]
