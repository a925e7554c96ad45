# The laptop's self-training round from where the first one ended
_base_ = './laptop_efflite0_trash_pseudo_joint.py'
load_from = 'work_dirs/laptop_efflite0_trash/iter_4000.pth'
