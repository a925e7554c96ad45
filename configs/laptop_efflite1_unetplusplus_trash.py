_base_ = './laptop_efflite0_unetplusplus_trash.py'
model = dict(backbone=dict(type='EfficientNetLite1'))
