# EoMT (Kerssies et al., CVPR 2025) on DINOv2 ViT-B/14, for photos of 518x518 after padding
_base_ = './encoder_decoder.py'
model = dict(
    type='HFQuerySegmentor',
    data_preprocessor=dict(
        size=(518, 518), size_divisor=None, test_cfg=dict(size=(518, 518), size_divisor=None)),
    backbone=dict(
        type='HFModel',
        architecture='EomtForUniversalSegmentation',
        pretrained=None,
        config=dict(
            hidden_size=768, num_hidden_layers=12, num_attention_heads=12, image_size=518,
            patch_size=14, num_blocks=3, num_queries=100)),
    # Without loss_decode: the model has a loss of its own
    decode_head=dict(type='LogitsHead', align_corners=False))
