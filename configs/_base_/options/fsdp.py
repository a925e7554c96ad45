# Weights, gradients and the optimizer's state split over the GPUs (PyTorch's FSDP)
runner_type = 'TrashFlexibleRunner'
strategy = dict(
    type='FSDPStrategy',
    state_dict_cfg='full',
    model_wrapper=dict(
        use_orig_params=True,
        auto_wrap_policy=dict(
            type='torch.distributed.fsdp.wrap.size_based_auto_wrap_policy',
            min_num_params=1000000)))
optim_wrapper = dict(type='AmpOptimWrapper', use_fsdp=True)
