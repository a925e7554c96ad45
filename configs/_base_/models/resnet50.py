# ResNet-50 whose last two stages are dilated, and an auxiliary head
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(
        type='ResNetV1c',
        depth=50,
        dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1),
        norm_cfg=_base_.norm_cfg,
        contract_dilation=True,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet50_v1c')),
    auxiliary_head=dict(_base_.auxiliary, in_channels=1024))
