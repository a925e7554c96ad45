# RAdam; four cosine cycles, each with a warm-up and a lower peak than the one before
_base_ = './adamw_poly_40k.py'
optim_wrapper = dict(optimizer=dict(type='RectifiedAdam'))
param_scheduler = [
    dict(type='CosineWarmupRestartLR', T_0=10000, T_up=1000, gamma=0.7, by_epoch=False,
         begin=0, end=40000)]
