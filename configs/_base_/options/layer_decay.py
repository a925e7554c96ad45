# Earlier layers of the backbone learn more slowly: a step of 0.9 from layer to layer
optim_wrapper = dict(
    constructor='LayerDecayOptimWrapperConstructor', paramwise_cfg=dict(layer_decay=0.9))
