# The same head on EfficientNet-Lite2
_base_ = './frozen_head.py'
model = dict(
    backbone=dict(type='EfficientNetLite2'),
    decode_head=dict(in_channels=[24, 48, 120, 352]))
