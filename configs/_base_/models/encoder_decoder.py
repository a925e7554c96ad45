# What the models share: ImageNet's mean and deviation, cross entropy
# Between several GPUs it becomes SyncBN (`sync_bn` in default_runtime.py)
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='TrashEncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=32,
        test_cfg=dict(size_divisor=32)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
# Also with class_weight=[...], which MMSegmentation's fails at when avg_non_ignore=True
cross_entropy = dict(
    type='WeightedCrossEntropyLoss', class_weight=None, avg_non_ignore=True, loss_name='loss_ce')
head = dict(
    norm_cfg=norm_cfg,
    align_corners=False,
    dropout_ratio=0.1,
    loss_decode=dict(cross_entropy, loss_weight=1.0))
auxiliary = dict(
    head,
    type='FCNHead',
    in_index=2,
    channels=256,
    num_convs=1,
    concat_input=False,
    loss_decode=dict(cross_entropy, loss_weight=0.4))
