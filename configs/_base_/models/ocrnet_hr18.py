# OCRNet (Yuan et al., ECCV 2020) on HRNetV2-W18
_base_ = './encoder_decoder.py'
widths = [18, 36, 72, 144]
stage = dict(
    block='BASIC', num_modules=1, num_branches=2, num_blocks=(4, 4), num_channels=widths[:2])
gather = dict(in_channels=widths, in_index=(0, 1, 2, 3), input_transform='resize_concat')
model = dict(
    type='TrashCascadeEncoderDecoder',
    num_stages=2,
    backbone=dict(
        type='HRNet',
        norm_cfg=_base_.norm_cfg,
        extra=dict(
            stage1=dict(
                block='BOTTLENECK', num_modules=1, num_branches=1, num_blocks=(4, ),
                num_channels=(64, )),
            stage2=stage,
            stage3=dict(
                stage, num_modules=4, num_branches=3, num_blocks=(4, 4, 4),
                num_channels=widths[:3]),
            stage4=dict(
                stage, num_modules=3, num_branches=4, num_blocks=(4, 4, 4, 4),
                num_channels=widths)),
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
    decode_head=[
        dict(
            {**_base_.auxiliary, **gather}, channels=sum(widths), kernel_size=1, dropout_ratio=-1),
        dict(
            _base_.head, type='OCRHead', **gather, channels=512, ocr_channels=256,
            dropout_ratio=-1)
    ])
