_base_ = './dinov2_linear_trash.py'
model = dict(
    backbone=dict(model_name='vit_base_patch14_dinov2.lvd142m'),
    decode_head=dict(in_channels=768, channels=768))
