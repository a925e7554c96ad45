# Photos of rare classes more often (LVIS, Gupta et al., CVPR 2019)
train_dataloader = dict(
    sampler=dict(_delete_=True, type='RepeatFactorSampler', threshold=0.1))
