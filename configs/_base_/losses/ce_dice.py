# Cross entropy and Dice
loss_decode = dict(type='ComboLoss')
