# Class-balanced cross entropy (Cui et al., CVPR 2019), derived from the data
loss_decode = dict(type='WeightedCrossEntropyLoss', weight_method='effective', max_weight=5.0)
