# Half precision with loss scaling (any GPU since Volta)
optim_wrapper = dict(type='AmpOptimWrapper', dtype='float16')
