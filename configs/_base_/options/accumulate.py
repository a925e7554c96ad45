# One step for the mean gradient of four batches
optim_wrapper = dict(accumulative_counts=4)
