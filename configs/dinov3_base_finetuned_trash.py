_base_ = './dinov2_small_finetuned_trash.py'
model = dict(
    data_preprocessor=dict(size_divisor=16, test_cfg=dict(size_divisor=16)),
    backbone=dict(model_name='vit_base_patch16_dinov3.lvd1689m'),
    neck=dict(embed_dim=768),
    decode_head=dict(in_channels=[768, 768, 768, 768]))
