# UPerNet on ConvNeXt-T (Liu et al., CVPR 2022)
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(
        type='TimmFeatures', model_name='convnext_tiny.fb_in22k_ft_in1k', pretrained=True,
        out_norm=True, drop_path_rate=0.4),
    decode_head=dict(
        _base_.head, type='UPerHead', in_channels=[96, 192, 384, 768], in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6), channels=512),
    auxiliary_head=dict(_base_.auxiliary, in_channels=384))
