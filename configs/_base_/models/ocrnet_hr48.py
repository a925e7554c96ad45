# OCRNet on HRNetV2-W48
_base_ = './ocrnet_hr18.py'
widths = [48, 96, 192, 384]
coarse, fine = _base_.model.decode_head
model = dict(
    backbone=dict(
        extra=dict(
            stage2=dict(num_channels=widths[:2]),
            stage3=dict(num_channels=widths[:3]),
            stage4=dict(num_channels=widths)),
        init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=[
        dict(coarse, in_channels=widths, channels=sum(widths)), dict(fine, in_channels=widths)
    ])
