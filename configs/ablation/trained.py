# The laptop model on small photos with everything trained, a thousand iterations
_base_ = './frozen_head_wide.py'
