# DeepLabV3+ (Chen et al., ECCV 2018)
_base_ = './resnet50.py'
model = dict(decode_head=dict(
    _base_.head, type='DepthwiseSeparableASPPHead', in_channels=2048, in_index=3, channels=512,
    dilations=(1, 12, 24, 36), c1_in_channels=256, c1_channels=48))
