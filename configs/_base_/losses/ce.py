# Cross entropy, the recipe's
loss_decode = dict(type='CrossEntropyLoss', avg_non_ignore=True)
