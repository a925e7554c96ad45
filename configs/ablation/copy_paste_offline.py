# For folds whose training photos data_prep/copy_paste.py has pasted objects into
_base_ = './frozen_head.py'
