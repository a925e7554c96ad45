# UPerNet on BEiT-L, for photos of 512x512
_base_ = './upernet_beit_base.py'
model = dict(
    backbone=dict(
        model_name='beit_large_patch16_224.in22k_ft_in22k', out_indices=(7, 11, 15, 23),
        drop_path_rate=0.2),
    neck=dict(embed_dim=1024),
    decode_head=dict(in_channels=[1024, 1024, 1024, 1024], channels=1024),
    auxiliary_head=dict(in_channels=1024))
