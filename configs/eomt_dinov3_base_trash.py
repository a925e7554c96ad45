_base_ = [
    './_base_/models/eomt_dinov2_base.py', './_base_/datasets/trash_coco_640.py',
    './_base_/schedules/adamw_eomt_dinov3_40k.py', './_base_/default_runtime.py'
]
model = dict(
    backbone=dict(
        architecture='EomtDinov3ForUniversalSegmentation',
        pretrained='tue-mps/eomt-dinov3-coco-panoptic-base-640',
        config=dict(intermediate_size=3072)))
custom_hooks = [*_base_.custom_hooks, dict(type='MaskAnnealingHook')]
