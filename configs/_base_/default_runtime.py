custom_imports = dict(imports=['mmseg_custom.plugins'], allow_failed_imports=False)
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # a process that waits longer (s) for the others gives up
    dist_cfg=dict(backend='nccl', timeout=600))
# BatchNorm becomes SyncBN between several GPUs, and stays BatchNorm elsewhere
sync_bn = 'torch'
randomness = dict(seed=0)
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='SafeCheckpointHook',
        by_epoch=False,
        interval=2000,
        max_keep_ckpts=2,
        save_best='mIoU',
        rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    non_finite_loss=dict(type='NonFiniteLossHook'),
    stop_signal=dict(type='StopSignalHook'))
custom_hooks = [
    dict(type='IterationSeedHook'),
    dict(type='CheckCheckpointHook'),
    dict(type='ClassWeightHook'),
    dict(type='ProgressBarHook'),
    dict(type='SaveMetricsHook'),
    dict(type='TrackValidationHook'),
]
vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
