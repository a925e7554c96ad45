# Photos of classes that fewer than 30 % of the photos hold are seen more often
_base_ = '../laptop_efflite0_trash.py'
train_dataloader = dict(sampler=dict(type='RepeatFactorSampler', threshold=0.3))
