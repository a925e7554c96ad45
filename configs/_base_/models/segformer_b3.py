# SegFormer on MiT-B3
_base_ = './segformer_b1.py'
model = dict(
    backbone=dict(
        num_layers=[3, 4, 18, 3],
        init_cfg=dict(checkpoint='https://mmassets.onedl.ai/mmsegmentation/v0.5/pretrain/segformer/mit_b3_20220624-13b1141c.pth')),
    decode_head=dict(channels=768))
