_base_ = './dinov2_linear_trash.py'
model = dict(
    backbone=dict(model_name='vit_large_patch14_dinov2.lvd142m', out_indices=(23, )),
    decode_head=dict(in_channels=1024, channels=1024))
