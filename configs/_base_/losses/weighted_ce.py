# Cross entropy with median-frequency weights, at most 5, derived from the data
loss_decode = dict(type='WeightedCrossEntropyLoss', weight_method='median', max_weight=5.0)
