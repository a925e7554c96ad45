# UNet++ (Zhou et al., 2018) on EfficientNet-B5, of segmentation_models_pytorch
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(
        type='SMPModel', arch='unetplusplus', encoder='efficientnet-b5', pretrained='imagenet'),
    decode_head=dict(
        type='LogitsHead', align_corners=False,
        loss_decode=_base_.head.loss_decode))
