_base_ = './dinov2_small_finetuned_trash.py'
model = dict(
    backbone=dict(model_name='vit_large_patch14_dinov2.lvd142m', out_indices=(5, 11, 17, 23)),
    neck=dict(embed_dim=1024),
    decode_head=dict(in_channels=[1024, 1024, 1024, 1024]))
