_base_ = './laptop_efflite0_trash.py'
model = dict(
    backbone=dict(type='EfficientNetLite2'),
    decode_head=dict(in_channels=[24, 48, 120, 352]))
