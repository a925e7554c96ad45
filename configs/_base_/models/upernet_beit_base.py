# UPerNet on BEiT-B (Bao et al., ICLR 2022), for photos of 512x512
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(
        type='TimmFeatures', model_name='beit_base_patch16_224.in22k_ft_in22k', pretrained=True,
        out_indices=(3, 5, 7, 11), img_size=512, drop_path_rate=0.1),
    neck=dict(type='Feature2Pyramid', embed_dim=768, rescales=[4, 2, 1, 0.5]),
    decode_head=dict(
        _base_.head, type='UPerHead', in_channels=[768, 768, 768, 768], in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6), channels=768),
    auxiliary_head=dict(_base_.auxiliary, in_channels=768))
