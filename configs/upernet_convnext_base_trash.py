_base_ = [
    './_base_/models/upernet_convnext_base.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/adamw_poly_40k.py', './_base_/default_runtime.py'
]
optim_wrapper = dict(
    constructor='LayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(_delete_=True, layer_decay=0.9, vector_decay_mult=0.),
    optimizer=dict(lr=1e-4, weight_decay=0.05))
