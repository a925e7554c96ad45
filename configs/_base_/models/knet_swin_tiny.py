# K-Net (Zhang et al., NeurIPS 2021) with UPerNet on Swin-T
_base_ = './upernet_swin_tiny.py'
first = _base_.model.decode_head
update = dict(
    type='KernelUpdateHead',
    num_ffn_fcs=2,
    num_heads=8,
    num_mask_fcs=1,
    feedforward_channels=2048,
    in_channels=512,
    out_channels=512,
    dropout=0.0,
    conv_kernel_size=1,
    ffn_act_cfg=dict(type='ReLU', inplace=True),
    with_ffn=True,
    feat_transform_cfg=dict(conv_cfg=dict(type='Conv2d'), act_cfg=None),
    kernel_updator_cfg=dict(
        type='KernelUpdator',
        in_channels=256,
        feat_channels=256,
        out_channels=256,
        act_cfg=dict(type='ReLU', inplace=True),
        norm_cfg=dict(type='LN')))
model = dict(decode_head=dict(
    _delete_=True, type='IterativeDecodeHead', num_stages=3, kernel_update_head=[update] * 3,
    kernel_generate_head=first))
