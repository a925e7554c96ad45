# EoMT (Kerssies et al., CVPR 2025) on DINOv2 ViT-L, trained on ADE20K, for photos of 512x512
_base_ = './encoder_decoder.py'
model = dict(
    type='HFQuerySegmentor',
    data_preprocessor=dict(
        size=(512, 512), size_divisor=None, test_cfg=dict(size=(512, 512), size_divisor=None)),
    backbone=dict(
        type='HFModel',
        architecture='EomtForUniversalSegmentation',
        pretrained='tue-mps/ade20k_semantic_eomt_large_512',
        config=dict(
            hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, image_size=512,
            patch_size=16, num_blocks=4, num_queries=100)),
    # Without loss_decode: the model has a loss of its own
    decode_head=dict(type='LogitsHead', align_corners=False))
