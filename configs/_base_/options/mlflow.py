# Also to MLflow: into the work folder, or to MLFLOW_TRACKING_URI. pip install -e ".[trackers]"
vis_backends = [
    dict(
        type='MLflowVisBackend',
        exp_name='trash-seg',
        tracked_config_keys=['optim_wrapper', 'train_cfg', 'randomness'],
        artifact_suffix=())]
