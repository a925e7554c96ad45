# UPerNet (Xiao et al., ECCV 2018) on Swin Transformer-T (Liu et al., ICCV 2021)
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(
        type='SwinTransformer',
        pretrain_img_size=224,
        embed_dims=96,
        depths=[2, 2, 6, 2],
        num_heads=[3, 6, 12, 24],
        window_size=7,
        drop_path_rate=0.3,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://mmassets.onedl.ai/mmsegmentation/v0.5/pretrain/swin/swin_tiny_patch4_window7_224_20220317-1cdeb081.pth')),
    decode_head=dict(
        _base_.head, type='UPerHead', in_channels=[96, 192, 384, 768], in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6), channels=512),
    auxiliary_head=dict(_base_.auxiliary, in_channels=384))
