_base_ = [
    './_base_/models/dinov2_upernet.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_finetune_20k.py', './_base_/default_runtime.py'
]
model = dict(backbone=dict(frozen=False))
