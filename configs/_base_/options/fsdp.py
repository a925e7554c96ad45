# Weights, gradients and the optimizer's state split over the processes (PyTorch's FSDP)
runner_type = 'TrashFlexibleRunner'
strategy = dict(
    type='TrashFSDPStrategy',
    state_dict_cfg='full',
    model_wrapper=dict(
        use_orig_params=True,
        auto_wrap_policy=dict(type='wrap_by_size', min_num_params=1000000)))
optim_wrapper = dict(type='AmpOptimWrapper', use_fsdp=True)
