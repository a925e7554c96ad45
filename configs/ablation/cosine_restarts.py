# Four cosine cycles, each with a warm-up and a lower peak than the one before
_base_ = './frozen_head.py'
param_scheduler = [
    dict(type='CosineWarmupRestartLR', T_0=250, T_up=25, gamma=0.7, by_epoch=False, begin=0,
         end=_base_.max_iters)]
