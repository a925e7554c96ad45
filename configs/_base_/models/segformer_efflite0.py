# SegFormer's all-MLP head (Xie et al., NeurIPS 2021) on EfficientNet-Lite0
_base_ = './encoder_decoder.py'
model = dict(
    data_preprocessor=dict(mean=[127., 127., 127.], std=[128., 128., 128.]),
    backbone=dict(type='EfficientNetLite0', pretrained=True),
    decode_head=dict(
        _base_.head, type='SegformerHead', in_channels=[24, 40, 112, 320], in_index=[0, 1, 2, 3],
        channels=128))
