# No step follows a gradient that is longer than 1
optim_wrapper = dict(clip_grad=dict(max_norm=1.))
