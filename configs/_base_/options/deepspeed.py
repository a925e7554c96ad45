# Gradients and the optimizer's state split over the GPUs (ZeRO stage 2); pip install deepspeed
runner_type = 'TrashFlexibleRunner'
strategy = dict(
    type='DeepSpeedStrategy', bf16=dict(enabled=True), inputs_to_half=['inputs'],
    zero_optimization=dict(stage=2))
optim_wrapper = dict(type='DeepSpeedOptimWrapper')
