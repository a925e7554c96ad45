_base_ = './dinov2_small_finetuned_trash.py'
model = dict(
    data_preprocessor=dict(size_divisor=16, test_cfg=dict(size_divisor=16)),
    backbone=dict(model_name='vit_large_patch16_dinov3.lvd1689m', out_indices=(5, 11, 17, 23)),
    neck=dict(embed_dim=1024),
    decode_head=dict(in_channels=[1024, 1024, 1024, 1024]))
