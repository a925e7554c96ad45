# Semantic FPN (Kirillov et al., CVPR 2019) on ResNet-50
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(
        type='ResNetV1c',
        depth=50,
        norm_cfg=_base_.norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet50_v1c')),
    neck=dict(type='FPN', in_channels=[256, 512, 1024, 2048], out_channels=256, num_outs=4),
    decode_head=dict(
        _base_.head, type='FPNHead', in_channels=[256, 256, 256, 256], in_index=[0, 1, 2, 3],
        feature_strides=[4, 8, 16, 32], channels=128))
