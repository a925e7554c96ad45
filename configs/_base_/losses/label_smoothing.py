# Cross entropy with a tenth of each label spread over all classes
loss_decode = dict(type='LabelSmoothingLoss', smoothing=0.1)
