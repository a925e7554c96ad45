_base_ = './eomt_dinov3_base_trash.py'
model = dict(
    backbone=dict(
        pretrained='tue-mps/eomt-dinov3-coco-panoptic-small-640',
        config=dict(hidden_size=384, num_attention_heads=6, intermediate_size=1536)))
