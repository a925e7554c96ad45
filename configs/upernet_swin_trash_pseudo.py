# Self-training from where the first one ended
_base_ = './upernet_swin_trash_pseudo_joint.py'
load_from = 'work_dirs/upernet_swin_trash/iter_40000.pth'
