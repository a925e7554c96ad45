# Exponential moving average of the weights: validated, saved as the model, and resumed.
# It follows fast at first (gamma), then over about 1 / momentum iterations
custom_hooks = [
    dict(type='EMAHook', ema_type='MomentumAnnealingEMA', momentum=0.001, gamma=100,
         update_buffers=True)]
