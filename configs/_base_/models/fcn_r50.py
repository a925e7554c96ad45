# FCN (Long et al., CVPR 2015)
_base_ = './resnet50.py'
model = dict(decode_head=dict(
    _base_.head, type='FCNHead', in_channels=2048, in_index=3, channels=512, num_convs=2,
    concat_input=True))
