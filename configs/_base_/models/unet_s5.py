# U-Net (Ronneberger et al., MICCAI 2015) of five stages, from scratch
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(type='UNet', base_channels=64, norm_cfg=_base_.norm_cfg),
    decode_head=dict(
        _base_.head, type='FCNHead', in_channels=64, in_index=4, channels=64, num_convs=1,
        concat_input=False),
    auxiliary_head=dict(_base_.auxiliary, in_channels=128, in_index=3, channels=64))
