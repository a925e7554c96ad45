_base_ = './laptop_efflite0_fpn_trash.py'
model = dict(backbone=dict(type='EfficientNetLite1'))
