# Tversky loss (Salehi et al., MLMI 2017) beside cross entropy: misses cost more
loss_decode = dict(type='ComboLoss', losses=[
    dict(type='WeightedCrossEntropyLoss', class_weight=None),
    dict(type='ClassTverskyLoss', alpha=0.3, beta=0.7)])
