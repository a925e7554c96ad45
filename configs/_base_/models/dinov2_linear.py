# One linear layer on frozen DINOv2 ViT-S/14 (Oquab et al., TMLR 2024), for few labeled photos
_base_ = './encoder_decoder.py'
model = dict(
    data_preprocessor=dict(size_divisor=14, test_cfg=dict(size_divisor=14)),
    backbone=dict(
        type='TimmFeatures', model_name='vit_small_patch14_dinov2.lvd142m', pretrained=True,
        out_indices=(11, ), frozen=True, final_norm=True,
        dynamic_img_size=True),
    decode_head=dict(
        _base_.head, type='BatchNormHead', in_channels=384, in_index=0, channels=384))
