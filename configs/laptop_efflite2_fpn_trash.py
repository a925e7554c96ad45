_base_ = './laptop_efflite0_fpn_trash.py'
model = dict(
    backbone=dict(type='EfficientNetLite2'),
    neck=dict(in_channels=[24, 48, 120, 352]))
