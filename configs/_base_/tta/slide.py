# Windows of 512 pixels that overlap by a third, for photos much larger than those of the training
_base_ = './none.py'
test_cfg = dict(mode='slide', crop_size=(512, 512), stride=(341, 341))
