# The same with another backbone; everything is trained, and the head is the laptop model's
_base_ = './backbone_mobilenetv2.py'
model = dict(decode_head=dict(channels=128))
