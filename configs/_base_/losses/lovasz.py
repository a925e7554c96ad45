# Lovasz-Softmax (Berman et al., CVPR 2018) beside cross entropy
loss_decode = dict(type='ComboLoss', losses=[
    dict(type='CrossEntropyLoss', avg_non_ignore=True),
    dict(type='LovaszLoss', per_image=True, reduction='mean')])
