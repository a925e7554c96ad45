# The same with the laptop model's head
_base_ = './cosine_restarts.py'
model = dict(decode_head=dict(channels=128))
