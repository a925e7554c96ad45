# The same head on EfficientNet-Lite1
_base_ = './frozen_head.py'
model = dict(backbone=dict(type='EfficientNetLite1'))
