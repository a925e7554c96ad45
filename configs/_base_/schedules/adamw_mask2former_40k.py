# As Mask2Former's authors: the encoder learns at a tenth of the rate, embeddings do not decay
_base_ = './adamw_poly_40k.py'
optim_wrapper = dict(
    constructor='LayerDecayOptimWrapperConstructor',
    optimizer=dict(lr=1e-4, weight_decay=0.05),
    clip_grad=dict(max_norm=0.01),
    paramwise_cfg=dict(
        layer_decay=1.,
        encoder_lr_mult=0.1,
        norm_decay_mult=0.,
        custom_keys={
            'queries_embedder': dict(decay_mult=0.),
            'queries_features': dict(decay_mult=0.),
            'level_embed': dict(decay_mult=0.),
        }))
param_scheduler = [
    dict(type='PolyLR', eta_min=0., power=0.9, by_epoch=False, begin=0, end=40000)]
