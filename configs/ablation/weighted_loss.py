# Rare classes weigh more in the loss (median frequency, at most 5)
_base_ = '../laptop_efflite0_trash.py'
model = dict(decode_head=dict(loss_decode=dict(
    _delete_=True, type='WeightedCrossEntropyLoss', weight_method='median', max_weight=5.0)))
