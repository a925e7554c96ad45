_base_ = [
    './_base_/models/eomt_dinov2_large.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_eomt_40k.py', './_base_/default_runtime.py'
]
custom_hooks = [*_base_.custom_hooks, dict(type='MaskAnnealingHook')]
