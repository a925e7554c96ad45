# SegFormer on MiT-B1
_base_ = './segformer_b0.py'
model = dict(
    backbone=dict(
        embed_dims=64,
        init_cfg=dict(checkpoint='https://mmassets.onedl.ai/mmsegmentation/v0.5/pretrain/segformer/mit_b1_20220624-02e5a6a1.pth')),
    decode_head=dict(in_channels=[64, 128, 320, 512]))
