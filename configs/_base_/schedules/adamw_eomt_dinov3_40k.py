# As EoMT's authors train DINOv3: twice the rate, the ViT at a tenth of it, longer warm-ups
_base_ = './adamw_eomt_40k.py'
optim_wrapper = dict(
    paramwise_cfg=dict(layer_decay=1., encoder_lr_mult=0.1), optimizer=dict(lr=2e-4))
param_scheduler = [
    dict(type='TwoStageWarmupPolyLR', T_up=2000, T_up_encoder=3000, power=0.9, by_epoch=False,
         begin=0, end=40000)]
