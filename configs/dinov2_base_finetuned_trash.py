_base_ = './dinov2_small_finetuned_trash.py'
model = dict(
    backbone=dict(model_name='vit_base_patch14_dinov2.lvd142m'),
    neck=dict(embed_dim=768),
    decode_head=dict(in_channels=[768, 768, 768, 768]))
