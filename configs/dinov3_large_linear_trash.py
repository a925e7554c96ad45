_base_ = './dinov2_linear_trash.py'
model = dict(
    data_preprocessor=dict(size_divisor=16, test_cfg=dict(size_divisor=16)),
    backbone=dict(model_name='vit_large_patch16_dinov3.lvd1689m', out_indices=(23, )),
    decode_head=dict(in_channels=1024, channels=1024))
