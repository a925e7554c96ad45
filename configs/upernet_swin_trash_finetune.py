# After the joint training: real labels only, at a tenth of the learning rate
_base_ = './upernet_swin_trash.py'
optim_wrapper = dict(optimizer=dict(lr=6e-6))
load_from = 'work_dirs/upernet_swin_trash_pseudo_joint/iter_40000.pth'
