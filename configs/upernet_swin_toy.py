# The baseline of upernet_swin_trash.py at a size that a laptop CPU trains in minutes
_base_ = './upernet_swin_trash.py'
data_root = 'data/toy_trash/'
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(data_root=data_root))
val_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
model = dict(
    backbone=dict(
        embed_dims=24, depths=[1, 1, 2, 1], num_heads=[2, 2, 4, 8], drop_path_rate=0.,
        init_cfg=None),
    decode_head=dict(in_channels=[24, 48, 96, 192], channels=48, dropout_ratio=0.),
    auxiliary_head=dict(in_channels=96, channels=24, dropout_ratio=0.))
# From scratch and short, hence the larger steps
optim_wrapper = dict(optimizer=dict(lr=3e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=50),
    dict(type='PolyLR', eta_min=0., power=1., by_epoch=False, begin=50, end=800)]
train_cfg = dict(max_iters=800, val_interval=400)
default_hooks = dict(checkpoint=dict(interval=100), logger=dict(interval=20))
