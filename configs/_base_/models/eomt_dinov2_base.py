# EoMT on DINOv2 ViT-B for photos of 640x640, where the authors have weights (COCO panoptic)
_base_ = './eomt_dinov2_large.py'
model = dict(
    data_preprocessor=dict(size=(640, 640), test_cfg=dict(size=(640, 640))),
    backbone=dict(
        pretrained='tue-mps/coco_panoptic_eomt_base_640_2x',
        config=dict(
            hidden_size=768, num_hidden_layers=12, num_attention_heads=12, image_size=640,
            num_blocks=3, num_queries=200)))
