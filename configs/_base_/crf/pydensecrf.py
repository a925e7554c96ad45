# The default values with the original implementation: the same masks, several times slower
_base_ = './default.py'
crf = dict(backend='pydensecrf')
