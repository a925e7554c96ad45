# Mask2Former on Swin-L, pretrained on ImageNet-22k and trained on ADE20K
_base_ = './mask2former_swin_tiny.py'
model = dict(
    backbone=dict(
        pretrained='facebook/mask2former-swin-large-ade-semantic',
        config=dict(backbone_config=dict(
            embed_dim=192, depths=[2, 2, 18, 2], num_heads=[6, 12, 24, 48], window_size=12))))
