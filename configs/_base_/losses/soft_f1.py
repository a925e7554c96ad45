# Macro F1 of the probabilities, beside cross entropy
loss_decode = dict(type='ComboLoss', losses=[
    dict(type='WeightedCrossEntropyLoss', class_weight=None), dict(type='SoftF1Loss')])
