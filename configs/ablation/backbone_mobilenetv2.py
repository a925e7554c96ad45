# The same head on MobileNetV2, with the statistics of torchvision's weights
_base_ = './frozen_head.py'
model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(type='PackagedMobileNetV2'),
    decode_head=dict(in_channels=[24, 32, 96, 320]))
