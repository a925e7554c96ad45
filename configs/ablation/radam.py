# RAdam as its authors run it
_base_ = '../laptop_efflite0_trash.py'
optim_wrapper = dict(optimizer=dict(type='RectifiedAdam'))
