# As EoMT's authors train ADE20K: batches of 16, the ViT later and more slowly than the rest
_base_ = './adamw_poly_40k.py'
optim_wrapper = dict(
    constructor='LayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(_delete_=True, layer_decay=0.8),
    optimizer=dict(lr=1e-4, weight_decay=0.05),
    clip_grad=dict(max_norm=0.01),
    accumulative_counts=2)
auto_scale_lr = dict(base_batch_size=16)
param_scheduler = [
    dict(type='TwoStageWarmupPolyLR', T_up=500, T_up_encoder=1000, power=0.9, by_epoch=False,
         begin=0, end=40000)]
