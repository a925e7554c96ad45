# A pretrained ViT learns slowly, what is new 40 times as fast (UniMatch V2, Yang et al., 2025)
# 60 epochs of the contest's 2,617 training photos
_base_ = './adamw_poly_40k.py'
optim_wrapper = dict(
    optimizer=dict(lr=5e-6, weight_decay=0.01),
    paramwise_cfg=dict(
        _delete_=True,
        custom_keys={'decode_head': dict(lr_mult=40.), 'neck': dict(lr_mult=40.)}))
param_scheduler = [
    dict(type='PolyLR', eta_min=0., power=0.9, by_epoch=False, begin=0, end=20000)]
train_cfg = dict(max_iters=20000)
