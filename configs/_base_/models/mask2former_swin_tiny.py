# Mask2Former (Cheng et al., CVPR 2022) on Swin-T, of Hugging Face's transformers
_base_ = './encoder_decoder.py'
model = dict(
    type='HFQuerySegmentor',
    backbone=dict(
        type='HFModel',
        architecture='Mask2FormerForUniversalSegmentation',
        pretrained='facebook/mask2former-swin-tiny-ade-semantic',
        config=dict(backbone_config=dict(
            model_type='swin', depths=[2, 2, 6, 2], window_size=7, drop_path_rate=0.3,
            out_features=['stage1', 'stage2', 'stage3', 'stage4']))),
    # Without loss_decode: the model has a loss of its own
    decode_head=dict(type='LogitsHead', align_corners=False))
