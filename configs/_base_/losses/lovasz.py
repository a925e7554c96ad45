# Lovasz-Softmax (Berman et al., CVPR 2018) beside cross entropy
loss_decode = dict(type='ComboLoss', losses=[
    dict(type='WeightedCrossEntropyLoss', class_weight=None),
    dict(type='LovaszSoftmaxLoss')])
