# Macro F1 of the probabilities, beside cross entropy
loss_decode = dict(type='ComboLoss', losses=[
    dict(type='CrossEntropyLoss', avg_non_ignore=True), dict(type='SoftF1Loss')])
