# The same with the laptop model's head, for photos of 160 pixels on a GPU
_base_ = './frozen_head.py'
model = dict(decode_head=dict(channels=128))
