# A moving average of the weights is validated and tested
_base_ = '../laptop_efflite0_trash.py'
custom_hooks = [*_base_.custom_hooks, dict(type='EMAHook', momentum=0.02)]
