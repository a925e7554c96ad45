# Small objects that the model is sure of are not smoothed away
_base_ = './default.py'
crf = dict(keep_small=0.5)
