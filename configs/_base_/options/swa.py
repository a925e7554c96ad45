# Stochastic weight averaging (Izmailov et al., UAI 2018): the mean over the last quarter
custom_hooks = [dict(type='SWAHook', begin=0.75)]
