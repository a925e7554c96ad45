# Focal loss (Lin et al., ICCV 2017)
loss_decode = dict(type='SoftmaxFocalLoss', gamma=2.0)
