_base_ = [
    './_base_/models/eomt_dinov2_large.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_eomt_dinov3_40k.py', './_base_/default_runtime.py'
]
model = dict(
    backbone=dict(
        architecture='EomtDinov3ForUniversalSegmentation',
        pretrained='tue-mps/eomt-dinov3-ade-semantic-large-512',
        config=dict(intermediate_size=4096)))
custom_hooks = [*_base_.custom_hooks, dict(type='MaskAnnealingHook')]
