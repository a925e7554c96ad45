# Semantic FPN's head (Kirillov et al., CVPR 2019) on EfficientNet-Lite0
_base_ = './segformer_efflite0.py'
model = dict(
    neck=dict(type='FPN', in_channels=[24, 40, 112, 320], out_channels=96, num_outs=4),
    decode_head=dict(
        _delete_=True, **_base_.head, type='FPNHead', in_channels=[96, 96, 96, 96],
        in_index=[0, 1, 2, 3], feature_strides=[4, 8, 16, 32], channels=64))
