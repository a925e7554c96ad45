# Cross entropy
loss_decode = dict(
    type='WeightedCrossEntropyLoss', class_weight=None, loss_name='loss_ce')
