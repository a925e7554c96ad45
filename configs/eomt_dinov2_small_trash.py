_base_ = './eomt_dinov2_base_trash.py'
model = dict(
    backbone=dict(
        pretrained='tue-mps/coco_panoptic_eomt_small_640_2x',
        config=dict(hidden_size=384, num_attention_heads=6)))
