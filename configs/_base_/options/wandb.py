# Also to Weights & Biases; without a network: WANDB_MODE=offline. pip install -e ".[trackers]"
vis_backends = [
    dict(
        type='WandbVisBackend',
        init_kwargs=dict(project='trash-seg'),
        define_metric_cfg=[dict(name='*', step_metric='iter')])]
