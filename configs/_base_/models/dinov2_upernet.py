# UPerNet on frozen DINOv2 ViT-S/14
_base_ = './dinov2_linear.py'
model = dict(
    backbone=dict(out_indices=(2, 5, 8, 11)),
    neck=dict(type='Feature2Pyramid', embed_dim=384, rescales=[4, 2, 1, 0.5]),
    decode_head=dict(
        _delete_=True, **_base_.head, type='UPerHead', in_channels=[384, 384, 384, 384],
        in_index=[0, 1, 2, 3], pool_scales=(1, 2, 3, 6), channels=256))
