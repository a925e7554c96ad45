# Cross entropy and Dice
_base_ = '../laptop_efflite0_trash.py'
model = dict(decode_head=dict(loss_decode=dict(_delete_=True, type='ComboLoss')))
