# Also to ClearML; without a server: CLEARML_OFFLINE_MODE=1. pip install -e ".[trackers]"
vis_backends = [
    dict(
        type='ClearMLVisBackend',
        init_kwargs=dict(
            project_name='trash-seg', auto_connect_frameworks=False, auto_connect_arg_parser=False),
        artifact_suffix=('.py',))]
