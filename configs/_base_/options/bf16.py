# Half precision with the range of float32 (Ampere and newer)
optim_wrapper = dict(type='AmpOptimWrapper', dtype='bfloat16')
